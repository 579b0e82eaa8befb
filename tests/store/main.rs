//! What every store promises, run on every backend; then what is a backend's own.
//!
//! A backend takes part with one line, `suite!(fresh)` in a module of its own, where `fresh` opens an empty store: the
//! file, the server, and the server as the role that may only append. The claims are in [`facts`], [`log`], [`desk`],
//! [`proofs`] and [`together`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

/// One test for each claim, named after it, under the backend's module.
macro_rules! suite {
    ($fresh:path) => {
        suite!(@each $fresh,
            facts::{
                an_empty_store_names_nobody,
                the_register_comes_back_as_it_was_written,
                a_register_is_replaced_whole,
                an_import_is_one_write_of_register_and_documents,
                one_object_is_put_in_its_place_or_last,
                an_object_needs_a_register_first,
                what_is_not_there_cannot_be_deleted,
                a_document_keeps_what_is_none_apart_from_what_is_unknown,
                documents_are_listed_by_kind_and_by_body_served,
                a_page_ends_where_the_next_begins,
                lists_are_in_the_order_of_bytes,
                a_determination_is_kept_when_withdrawn,
                determinations_about_a_document_include_those_about_none,
                determinations_are_listed_by_each_filter,
            },
            log::{
                an_entry_comes_back_as_it_was_appended,
                a_receipt_verifies_and_names_the_place,
                facts_that_moved_on_make_a_decision_stale,
                a_repeated_key_gives_the_first_entry,
                of_many_at_once_with_one_key_one_is_first,
                an_id_stands_in_the_log_once,
                a_name_that_cannot_be_kept_names_nothing,
                decisions_are_listed_newest_first_by_each_filter,
                decisions_come_in_pages,
                several_entries_are_appended_all_or_none,
                a_store_that_can_write_is_ready,
            },
            desk::{
                a_referral_waits_until_a_determination_answers_it,
                referrals_come_in_the_order_of_their_days,
                policies_are_kept_once_under_their_hash,
            },
            erasure::{
                what_is_erased_leaves_its_leaf_as_it_was,
                what_is_erased_is_found_by_nothing,
                an_erasure_says_for_good_what_went,
                one_group_can_go_by_itself,
                each_class_is_due_by_its_own_period,
                what_is_due_is_named_once_in_the_order_of_the_log,
                a_referral_closed_later_begins_the_period_anew,
                a_determination_is_due_only_when_it_has_been_out_of_force_so_long,
                a_determination_goes_with_the_record_of_it,
                the_record_of_a_determination_in_force_stays,
                a_determination_whose_record_went_without_it_is_due_too,
                a_referral_goes_on_naming_the_determination_that_is_gone,
                what_happened_since_it_was_read_stops_an_erasure,
                what_is_not_there_is_not_erased,
            },
            holds::{
                a_hold_stops_the_erasure_of_what_it_covers,
                a_hold_covers_what_comes_after_it,
                a_hold_covers_every_kind_of_entry_that_names_its_subject,
                a_released_hold_keeps_until_its_own_period_is_over,
                a_hold_is_released_once_and_stays_on_record,
                the_record_of_a_hold_is_kept_while_it_keeps_and_then_goes_whole,
            },
            proofs::{
                the_head_stands_for_every_entry,
                what_is_refused_does_not_grow_the_tree,
                any_entry_is_proved_in_any_later_tree,
                entries_appended_at_once_make_one_tree,
                a_checkpoint_is_kept_as_first_signed,
                an_epoch_opens_with_an_entry_of_its_own,
                entries_are_found_by_their_time,
                a_clock_that_steps_back_changes_no_order_and_loses_nothing,
                halves_are_given_as_they_are_kept,
            },
            together::{
                each_write_counts_one_version_and_is_logged,
                a_write_for_another_version_does_nothing,
                a_refused_write_leaves_no_trace,
                a_repeated_write_is_not_made_again,
                a_write_that_cannot_be_kept_disturbs_nobody,
                what_was_acknowledged_is_in_force,
                no_decision_passes_a_write_that_was_acknowledged,
                appends_at_once_are_numbered_without_gap,
            },
        );
    };
    (@each $fresh:path, $($page:ident::{$($claim:ident,)+},)+) => {
        mod suite {
            $(mod $page {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                    async fn $claim() {
                        crate::$page::$claim($fresh().await).await;
                    }
                )+
            })+
        }
    };
}

#[path = "../support/postgres.rs"]
mod cluster;
mod crash;
mod desk;
mod erasure;
mod facts;
mod former;
mod holds;
mod keeping;
mod log;
mod million;
mod outage;
mod postgres;
mod proofs;
#[path = "../support/proxy.rs"]
mod proxy;
mod released;
mod replicas;
mod residue;
mod rights;
mod sealing;
mod sqlite;
mod support;
mod together;
mod tree;
