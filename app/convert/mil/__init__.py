"""Executes Core ML packages (ML Programs) op by op, on any system, from the bytes of the package.

What the file says is what is computed: its protobuf, its weight file and nothing else. Core ML's
own kernels are not imitated beyond the types that the program declares.
"""
