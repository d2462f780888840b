"""Compile an entry and all of its helpers as one program.

numba makes each helper a program of its own first: optimised, turned into machine code that nobody runs, and then
optimised again inside of everything that calls it. Here a helper is kept as numba wrote it until the entry that it
belongs to is optimised as a whole: the same code in about half of the time.

This reaches into numba's code generator, as numba's own pipeline classes do. Importing it fails where another version
has other insides; then numba compiles in its own way (models.jit).
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

if not hasattr(JITCodeLibrary, "_finalize_dynamic_globals"):
    raise ImportError("numba's code generator is another one")


class _Quiet:
    """A code generator that is told of no environment: a helper's is never used."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def set_env(self, env_name: str, env: Any) -> None:
        """Nothing to tell."""


class HelperLibrary(JITCodeLibrary):  # type: ignore[misc]  # numba is untyped
    """One helper alone, without what it calls: nothing to run."""

    @property
    def codegen(self) -> Any:
        return _Quiet(self._codegen)

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        return 0


class EntryLibrary(JITCodeLibrary):  # type: ignore[misc]
    """An entry with everything that it calls, each once."""

    _linking_libraries: list[Any]

    def finalize(self) -> None:
        waiting, found = list(self._linking_libraries), {}
        while waiting:
            library = waiting.pop(0)
            if id(library) not in found:
                found[id(library)] = library
                waiting += library._linking_libraries if isinstance(library, HelperLibrary) else []
        self._linking_libraries = list(found.values())
        super().finalize()


def _compiler(library: type[Any], name: str) -> type[Any]:
    @register_pass(mutates_CFG=True, analysis_only=False)
    class Lowering(NativeLowering):  # type: ignore[misc]
        _name = name

        def run_pass(self, state: Any) -> Any:
            state.library = library(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return super().run_pass(state)

    class Compiler(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes = [(Lowering if p is NativeLowering else p, why) for p, why in passes.passes]
            passes._finalized = False
            passes.finalize()
            return [passes]

    return Compiler


ENTRY: dict[str, Any] = {"pipeline_class": _compiler(EntryLibrary, "lower_entry")}
HELPER: dict[str, Any] = {"pipeline_class": _compiler(HelperLibrary, "lower_helper"), "no_cfunc_wrapper": True}
"""Arguments of numba.njit."""
