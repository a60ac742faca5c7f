"""How a job runs: folder, lock, progress, cancellation, checkpoints, device."""
