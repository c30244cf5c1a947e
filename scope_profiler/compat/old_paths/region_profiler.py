"""Where 0.7.5 has a class of regions for each mode. Here one is for all."""

from . import ProfileRegion as BaseProfileRegion

__all__ = ["BaseProfileRegion"]
