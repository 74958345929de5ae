"""A worker process that follows layers while the main process decodes and estimates."""

from cleanplate.segmentation.worker_process.process import StreamFrame, WorkerProcess, WorkerStream

__all__ = ["StreamFrame", "WorkerProcess", "WorkerStream"]
