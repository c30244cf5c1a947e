"""Where 0.7.5 records the calls of MPI."""

from .mpi.call_names import MPIRegionMetadata, format_mpi_region, message_nbytes, parse_mpi_region
from .mpi.recorded_calls import ProfiledMPIComm, ProfiledMPIRequest, profile_mpi4py, profile_mpi_comm

__all__ = ["MPIRegionMetadata", "ProfiledMPIComm", "ProfiledMPIRequest", "format_mpi_region",
           "message_nbytes", "parse_mpi_region", "profile_mpi4py", "profile_mpi_comm"]
