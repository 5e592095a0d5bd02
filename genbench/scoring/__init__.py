"""Who is scored how: protocols, controls, null bands, power cards, and samples from elsewhere."""
