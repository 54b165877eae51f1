/* model.h: random catalogues × random histories: the engine equals the oracle.
 *
 *   check_model [--cases N] [--seed S] [--from N]
 *       runs cases FROM to FROM + N - 1 of seed S, one process to a processor
 *       (taskset says to which). The first that differs is shrunk and printed:
 *       segment file, steps, what differs. Then it reports what the run has
 *       seen of each construct and of how many pairs of them, and fails below
 *       the floors. Who says nothing runs the same cases as everybody else.
 *   check_model --mutant NAME ...
 *       with that mistake in the oracle; differs, hopefully.
 *   check_model --print ...
 *       prints the cases without running them.
 *   check_mutants [--cases N] [--seed S]
 *       for each row of mutant_table.h: N cases at most must find it.
 *
 * branches.sh check_model ...
 *       tells as well how much of the oracle's own code has run. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

/* Both return the exit status of the program. */
int model_main(int argc, char **argv);
int model_mutants_main(int argc, char **argv);

#endif
