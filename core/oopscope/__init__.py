"""oopscope: read a Linux kernel crash dump with nothing but the dump itself."""

__version__ = "0.1.0"
