"""The ranks of an MPI job, over mpi4py where the program itself has imported it: their results as one."""
