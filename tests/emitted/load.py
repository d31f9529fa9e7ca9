"""An emitted file of Python as a module."""

import importlib.util
import shutil


def load(path, name):
    copy = path.with_suffix(".py")
    shutil.copy(path, copy)
    spec = importlib.util.spec_from_file_location(name, copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
