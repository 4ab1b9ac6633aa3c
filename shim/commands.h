/* shim/commands.h - the tables and handlers that the root table brings together. */
#ifndef SHIM_COMMANDS_H
#define SHIM_COMMANDS_H

#include "shim/command.h"

/* completion.c */
extern const struct command completion_command, complete_command;
/* airflow_doctor.c */
extern const struct command airflow_doctor_command;
/* state.c, state_transfer.c, state_history.c */
extern const struct command state_command;
extern const struct command state_export_command, state_import_command;
extern const struct command state_history_command, state_show_command, state_diff_command,
    state_rollback_command, state_prune_command;
/* state_spooled.c */
extern const struct command state_spooled_command, state_commit_command;
/* one file each */
extern const struct command airflow_command, config_command, environment_command, hub_command,
    init_command, install_command, invoke_command, job_command, lock_command, logs_command,
    plugin_command, runs_command, schedule_command, select_command, test_command;
/* airflow_adopt.c */
extern const struct command airflow_adopt_command;
/* run.c */
extern const struct command run_command, el_command, elt_command;
/* config_change.c */
extern const struct command config_set_command, config_unset_command, config_reset_command;
/* schedule_change.c */
extern const struct command schedule_add_command, schedule_set_command, schedule_remove_command;
/* reference.c */
extern const struct command reference_command;

#endif
