"""Registered devices: what they are, how fast they are, and who uses them at the moment."""

from harness.devices.calibration import calibrate
from harness.devices.detection import Device, detect
from harness.devices.leases import Lease, hold, lease, resource_of
from harness.devices.registered import enlist, recalibrate, register, require

__all__ = [
    "Device",
    "Lease",
    "calibrate",
    "detect",
    "enlist",
    "hold",
    "lease",
    "recalibrate",
    "register",
    "require",
    "resource_of",
]
