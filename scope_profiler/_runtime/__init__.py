"""The program around a run: its processes, threads and tasks, and its end."""
