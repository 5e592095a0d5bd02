"""What a trial does from start to record, and what a run has to do: the plan and its tasks."""
