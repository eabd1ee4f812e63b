#!/usr/bin/env python3
"""What counts as right in the zoo, and which runs are still to be done."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import checks  # noqa: E402
import diagnosis  # noqa: E402
import generator  # noqa: E402
import page  # noqa: E402
import pairs  # noqa: E402
import same  # noqa: E402
from cases import CONTROLS, FAULTS, GENERATOR, SQLITE, TOGETHER, Case, closed, opened  # noqa: E402
from runner import Run, jobs_of, strengths  # noqa: E402
from score import both_told, interval, right_cause, right_line, share  # noqa: E402


def case(**what):
    return Case(what.pop("name", "one"), "shop", closed("/products", 4), **what)


class Score(unittest.TestCase):
    def test_the_interval_is_wilsons(self):
        low, high = interval(9, 10)
        self.assertAlmostEqual(low, 0.596, 3)
        self.assertAlmostEqual(high, 0.982, 3)
        self.assertEqual(interval(0, 0), (0, 1))

    def test_a_share_of_nothing_is_no_number(self):
        self.assertEqual(share(0, 0), "no runs")

    def test_a_control_may_name_nothing_or_what_is_tolerated(self):
        control = case(tolerated=("app-wait-unseen",))
        self.assertTrue(right_cause(control, "none"))
        self.assertTrue(right_cause(control, "app-wait-unseen"))
        self.assertFalse(right_cause(control, "db-slow-query"))

    def test_a_line_is_meant_as_a_whole_and_a_layer_by_its_dot(self):
        fault = case(lines=("app.lock", "database."))
        self.assertTrue(right_line(fault, "app.lock"))
        self.assertFalse(right_line(fault, "app.lock_of_another"))
        self.assertTrue(right_line(fault, "database.commit"))
        self.assertFalse(right_line(fault, "none"))

    def test_both_mistakes_have_to_be_among_the_first_three(self):
        two = case(causes=("a", "b"), also=("c",))
        self.assertTrue(both_told(two, ["x", "b", "c"]))
        self.assertFalse(both_told(two, ["x", "y", "b", "c"]))
        self.assertFalse(both_told(two, ["a", "b", "x"]))

    def test_a_limited_generator_that_blames_somebody_is_wrong(self):
        self.assertTrue(generator.is_right({"validity": "generator_limited", "named": "none"}))
        self.assertFalse(generator.is_right({"validity": "valid", "named": "none"}))
        self.assertFalse(generator.is_right({"validity": "generator_limited", "named": "a"}))

    def test_where_the_processors_were_stolen_nobody_else_may_be_blamed(self):
        stolen = {"stolen": 0.38, "named": "host-cpu-steal"}
        self.assertTrue(diagnosis.blames_nobody_else(stolen))
        self.assertTrue(diagnosis.blames_nobody_else(stolen | {"named": "none"}))
        self.assertFalse(diagnosis.blames_nobody_else(stolen | {"named": "db-slow-query"}))
        self.assertFalse(diagnosis.blames_nobody_else(stolen | {"stolen": 0.02}))

    def test_a_check_that_prints_no_row_shows_nothing(self):
        nothing = " pid | waits_for | state | wait_event | query\n-----+\n(0 rows)\n"
        row = " 12 | {345} | active | transactionid | update shop.products\n(1 row)\n"
        self.assertFalse(checks.has_shown("db-lock-contention", nothing))
        self.assertTrue(checks.has_shown("db-lock-contention", row))
        self.assertFalse(checks.has_shown("a-cause-without-a-pattern", " \n"))


class Runs(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.scratch = pathlib.Path(self.directory.name)

    def run_of(self, one, strength):
        return Run(one, strength, "", self.scratch)

    def test_without_its_mistake_a_case_keeps_its_other_arguments(self):
        one = case(arguments=("--pool", "2"), strong=("--cpu-ms", "9"))
        self.assertEqual(self.run_of(one, "off").arguments(), ["--pool", "2"])
        self.assertEqual(self.run_of(one, "strong").arguments(), ["--pool", "2", "--cpu-ms", "9"])

    def test_a_mistake_among_the_common_arguments_is_left_out(self):
        one = case(arguments=("--hot-row",), strong=("--hold-ms", "9"), off=())
        self.assertEqual(self.run_of(one, "off").arguments(), [])

    def test_what_stands_beside_gets_the_strengths_arguments(self):
        one = case(arguments=("--cpu-ms", "3"), beside="cpu_hog", strong=("--threads", "8"))
        self.assertEqual(self.run_of(one, "strong").arguments(), ["--cpu-ms", "3"])

    def test_both_runs_of_a_pair_use_the_same_ports(self):
        off = self.run_of(case(), "off")
        on = off.at("strong", self.scratch)
        self.assertEqual((off.port, off.peer_port), (on.port, on.peer_port))

    def test_a_plan_shares_its_rate_among_its_paths(self):
        one = Case("one", "shop", opened("/a", 40) + opened("/b", 40), database=SQLITE)
        load = self.run_of(one, "as it is").plan(starts=True)["load"]
        self.assertEqual(load["rate"], "40/s")
        self.assertEqual([request["path"] for request in load["requests"]], ["/a", "/b"])

    def test_what_was_run_is_not_run_again(self):
        one = case(weak=("a",), strong=("b",))
        rows = [{"case": "one", "strength": "weak"}]
        self.assertEqual([missing for _, missing in jobs_of([one], strengths, 1, rows)],
                         [("strong",)])
        self.assertEqual([missing for _, missing in jobs_of([one], strengths, 2, rows)],
                         [("strong",), ("weak", "strong")])


    def test_a_case_is_run_at_the_strengths_that_it_has(self):
        self.assertEqual(strengths(case(weak=("a",), strong=("b",))), ("weak", "strong"))
        self.assertEqual(strengths(case(quota=(0.5, 0.2))), ("weak", "strong"))
        self.assertEqual(strengths(case(strong=("b",))), ("strong",))
        self.assertEqual(strengths(case()), ("as it is",))


class Cases(unittest.TestCase):
    def test_names_are_unique(self):
        names = [one.name for one in FAULTS + CONTROLS + TOGETHER + GENERATOR]
        self.assertEqual(len(names), len(set(names)))

    def test_two_mistakes_have_causes_that_differ(self):
        for one in TOGETHER:
            self.assertTrue(one.causes and one.also, one.name)
            self.assertFalse(set(one.causes) & set(one.also), one.name)

    def test_a_section_is_written_of_a_mode_that_is_complete(self):
        rows = [{"case": one.name, "strength": "weak", "named": one.lines[0], "share": 0.9,
                 "difference_ms": 3.0, "cause": "none", "insufficient": None}
                for one in pairs.CASES]
        self.assertTrue(page.is_complete(pairs, rows))
        self.assertFalse(page.is_complete(pairs, rows[1:]))
        text = "\n".join(page.section(pairs, "Off, then on", " --pairs", rows))
        self.assertIn("./dev zoo --pairs --repeat 1", text)
        self.assertIn("| shop-cpu | weak |", text)

    def test_a_pair_is_right_by_its_cause_and_by_its_line_where_none_is_told(self):
        row = {"case": "shop-cpu", "named": "app.cpu", "cause": "none"}
        self.assertTrue(pairs.is_right(row))
        self.assertFalse(pairs.is_right(row | {"named": "app.lock"}))
        self.assertTrue(pairs.is_right(row | {"named": "app.lock", "cause": "app-cpu-saturated"}))
        self.assertFalse(pairs.is_right(row | {"cause": "db-slow-query"}))

    def test_runs_of_the_same_are_held_against_each_other_and_against_all_others(self):
        rows = [{"case": "shop-fine", "strength": "as it is", "run": run} for run in "abcd"]
        asked = []
        with mock.patch.object(same, "flagged", lambda *runs: asked.append(runs) or ()):
            pairs_found, others = same.judged(rows)
        self.assertEqual((len(pairs_found), len(others)), (6, 4))
        self.assertIn((("a",), "d"), asked)
        self.assertIn((("a", "c", "d"), "b"), asked)

    def test_a_section_stands_while_its_mode_is_not_run(self):
        old = "# The zoo\n\n## One mistake\n\na\n\n## Two mistakes at once\n\nb\n"
        self.assertEqual(page.standing(old, "One mistake"), ["", "## One mistake", "", "a"])
        self.assertEqual(page.standing(old, "Two mistakes at once"),
                         ["", "## Two mistakes at once", "", "b"])
        self.assertEqual(page.standing(old, "The commands"), [])


if __name__ == "__main__":
    unittest.main()
