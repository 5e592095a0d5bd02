"""From stored results to tables and pictures. Nothing here trains, samples or imports torch."""
