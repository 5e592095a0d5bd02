"""Executors take tasks and yield what they leave behind, as they finish. They never raise for a task."""
