//! What must be seen on real hosts, a file per scenario.

mod activation;
mod archive;
mod backup;
mod boot;
mod broken_disks;
mod canary;
mod clock_jumps;
mod converge;
mod disks;
mod drift;
mod drift_seen;
mod events;
mod example;
mod fixture;
mod homes;
mod inputs;
mod joining;
mod kill_anywhere;
mod kills;
mod lockout;
mod machine;
mod missing;
mod modes;
mod mounts;
mod network;
mod packages;
mod random_life;
mod reboot;
mod recipients;
mod removal;
mod restarts;
mod rollback;
mod secrets;
mod stopping;
mod trust;
mod unit_jobs;
mod units;
mod units_change;
mod upgrade;
mod validators;

use crate::Scenario;

macro_rules! scenarios {
    ($($module:ident :: $name:ident),* $(,)?) => {
        /// Every scenario, the longest first.
        pub const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name),
            play: $module::$name,
        }),*];
    };
}

scenarios![
    activation::an_activation_outlives_the_agent_and_the_terminal_that_asked_for_it,
    activation::a_new_program_that_ends_at_once_is_never_in_force_and_the_old_one_takes_it_back,
    activation::what_dies_while_health_is_asked_is_taken_back_without_a_network,
    activation::an_activation_that_dies_or_hangs_is_taken_back_though_nobody_runs,
    example::hosts_of_the_example_become_all_they_say_and_then_what_they_were,
    kill_anywhere::kills_at_chosen_records_leave_a_host_wholly_old_or_wholly_new,
    broken_disks::a_disk_that_fails_at_chosen_calls_leaves_a_host_wholly_old_or_wholly_new_and_it_says_so,
    clock_jumps::a_clock_that_jumps_at_any_record_changes_nothing_and_nothing_waits_for_it,
    kills::kills_at_any_moment_leave_a_host_wholly_old_or_wholly_new,
    random_life::a_life_drawn_by_lot_leaves_a_host_wholly_what_it_is_to_be_and_in_the_end_what_it_was,
    drift_seen::one_edit_among_ten_thousand_files_is_told_though_nobody_scans_and_a_hundred_at_once_are_all_told,
    drift_seen::an_editor_that_fights_back_trips_the_flap_guard_and_is_named,
    drift_seen::every_kind_of_edit_is_put_right_at_once_but_not_while_it_is_held_or_the_host_paused,
    drift::hand_edits_are_drift_which_enforce_repairs_and_report_leaves,
    backup::a_host_is_backed_up_by_its_timer_and_a_file_comes_back,
    backup::a_backup_that_cannot_be_made_says_why_and_spoils_nothing,
    trust::force_pushed_unsigned_and_strangers_commits_are_refused,
    packages::packages_come_from_a_signed_source_and_a_failure_leaves_no_trace,
    removal::packages_that_came_with_us_go_again_and_nothing_else,
    upgrade::a_package_is_upgraded_under_a_managed_configuration_file_and_nothing_is_lost,
    machine::language_names_and_accounts_are_as_said_and_drift_is_put_right,
    missing::a_host_without_a_usable_config_stays_as_it_is_and_says_why,
    canary::a_canary_secret_is_found_nowhere_but_at_its_destination,
    lockout::a_commit_that_breaks_sshd_is_rolled_back_and_people_log_in_again,
    lockout::a_commit_that_removes_the_last_operators_key_is_rolled_back,
    lockout::a_commit_that_breaks_pam_is_rolled_back_and_people_log_in_again,
    lockout::a_commit_that_drops_the_route_is_rolled_back_and_the_route_is_there_again,
    lockout::a_good_commit_stays_while_the_git_remote_is_down_for_other_reasons,
    lockout::a_confirmation_counts_over_a_new_connection_and_not_over_one_from_before,
    lockout::an_activation_that_nobody_confirms_goes_back_by_itself,
    modes::a_generation_that_is_tried_is_gone_before_the_network_comes_up,
    modes::a_generation_that_is_put_off_touches_nothing_before_the_next_boot,
    rollback::a_service_that_crashes_after_its_job_is_done_is_rolled_back_and_not_tried_for_three_polls,
    rollback::a_commit_that_cuts_the_host_off_its_remote_rolls_back_by_itself,
    recipients::a_host_that_cannot_open_a_secret_says_so_and_is_unharmed_until_a_rekey,
    secrets::a_service_is_handed_its_credential_and_starts_anew_only_when_the_new_value_is_there,
    secrets::a_secret_that_does_not_open_changes_nothing_and_says_which_way_it_failed,
    joining::a_host_joins_by_its_scanned_key_and_is_out_after_it_leaves,
    stopping::an_activation_that_is_stopped_is_taken_back_and_a_shutdown_waits_for_its_end,
    events::the_journal_is_told_of_every_change_once_under_its_fixed_id,
    inputs::a_module_of_a_second_repository_is_fetched_pinned_and_outlives_its_remote,
    homes::a_home_comes_changes_and_goes_and_its_units_with_it,
    unit_jobs::every_row_of_the_table_queues_the_jobs_it_says,
    units_change::units_change_as_their_definitions_ask_and_originals_come_back,
    units_change::a_condition_that_does_not_hold_is_told_and_is_no_drift,
    disks::full_and_read_only_disks_leave_the_host_whole,
    disks::a_person_goes_back_and_the_agent_leaves_it_so,
    restarts::only_units_that_declare_a_secret_restart_and_they_see_its_new_value,
    reboot::secrets_and_generation_are_back_after_a_reboot_without_network,
    converge::a_push_converges_both_hosts,
    boot::hosts_boot_talk_git_and_survive_a_pulled_plug,
    validators::what_a_program_refuses_changes_nothing,
    mounts::mounts_come_change_and_go_and_drift_scans_do_not_touch_them,
    network::interfaces_and_containers_do_what_their_files_say,
    archive::every_package_of_the_example_is_in_debians_archive,
    units::the_units_verify_and_are_as_hardened_as_their_work_allows,
];
