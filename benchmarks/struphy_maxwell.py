"""A run of the plasma code struphy, which has regions of scope-profiler in it: 300 steps of Maxwell's
equations (its own test "light_wave_1d"). Prints the seconds that the run took, and those of them that
it had a processor, which other load on the machine changes little.

    python struphy_maxwell.py plain|regions|lines [STEPS]

What is measured is the scope-profiler that is found first; README.md says how to have ours in the place
of the one that struphy comes with.
"""

import sys
import tempfile
from time import perf_counter, process_time

import environments

_STEP = 0.05


def simulation(folder, lines, steps):
    from struphy import (DerhamOptions, EnvironmentOptions, ProfilingOptions, Simulation, Time,
                         domains, grids, perturbations)
    from struphy.models import Maxwell

    model = Maxwell()
    model.propagators.maxwell.options = model.propagators.maxwell.Options(algo="implicit")
    for component in (0, 1):
        model.em_fields.e_field.add_perturbation(
            perturbations.Noise(amp=0.1, comp=component, seed=123))
    return Simulation(
        model=model,
        env=EnvironmentOptions(out_folders=folder, sim_folder="light_wave_1d"),
        time_opts=Time(dt=_STEP, Tend=steps * _STEP),
        domain=domains.Cuboid(r3=20.0),
        grid=grids.TensorProductGrid(num_elements=(1, 1, 128)),
        derham_opts=DerhamOptions(degree=(1, 1, 3)),
        profiling_opts=ProfilingOptions(use_line_profiler=lines),
    )


def main():
    mode = sys.argv[1]
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    used = environments.about("scope_profiler")
    with tempfile.TemporaryDirectory() as folder:
        run = simulation(folder, mode == "lines", steps)
        start, cpu_start = perf_counter(), process_time()
        run.run(profiling_activated=mode != "plain")
        seconds, cpu_seconds = perf_counter() - start, process_time() - cpu_start
    print(f"{mode}: {seconds:.2f} s, {cpu_seconds:.2f} s of CPU, {steps} steps, "
          f"scope-profiler {used['version']} of {used['file']}")


if __name__ == "__main__":
    main()
