#!/usr/bin/env python3
"""What the bench's table makes of figures: no measurement, so it is part of `make check`."""
import pathlib
import unittest

from machine import Failed, numbers
from rows import MB, MS, PER_S, ROWS, US, Row
from table import Table, Turns, cell, plain, rate, ratio_of, record

HERE = pathlib.Path(__file__).resolve().parent


class Shot:
    def __init__(self, n, cpu=10):
        self.rate, self.cpu_us = n, cpu


def turns(key, measure, ours, peer) -> Turns:
    """A duel of three rounds; a contender is what it is found to be, or broken."""
    made = Turns([(key, "ours", "peer", measure, "somebody")])
    made.enter("ours", ours if callable(ours) else iter(ours).__next__)
    made.enter("peer", peer if callable(peer) else iter(peer).__next__)
    made.run(3)
    return made


def broken():
    raise Failed("is | not\nhere")


class Rows(unittest.TestCase):
    def test_a_limit_holds_up_to_itself_and_not_beyond(self):
        self.assertEqual([Row("", US, at_most=1.2).holds(n) for n in (1.19, 1.2, 1.21)], [True, True, False])
        self.assertEqual([Row("", US, at_least=5).holds(n) for n in (5.1, 5, 4.99)], [True, True, False])
        self.assertIsNone(Row("", US).holds(7))

    def test_a_stretch_lies_on_the_side_of_the_budget(self):
        self.assertEqual([Row("", US, at_most=3, stretch=2).reaches(n) for n in (1.9, 2.1)], [True, False])
        self.assertEqual([Row("", US, at_least=5, stretch=7).reaches(n) for n in (6.9, 7.1)], [False, True])
        self.assertEqual([Row("", US, stretch=1).reaches(n) for n in (0.9, 1)], [False, True])

    def test_a_slower_disk_may_take_longer(self):
        row = Row("", MS, at_most=3, syncs=15, absolute=True)
        self.assertEqual([row.holds(6, sync) for sync in (0.1, 0.2)], [False, True])
        self.assertEqual(row.promise(0.5), "≤ 15 fdatasync + 3 ms = 10.50 ms")
        self.assertEqual(Row("", MS, at_most=1, syncs=1, absolute=True).promise(0.25), "≤ fdatasync + 1 ms = 1.25 ms")

    def test_promises_read_as_the_design_writes_them(self):
        self.assertEqual(Row("", PER_S, at_least=5, stretch=7).promise(), "≥ 5 (stretch ≥ 7)")
        self.assertEqual(Row("", PER_S, stretch=1).promise(), "stretch ≥ 1")
        self.assertEqual(Row("", MB, at_most=4, absolute=True).promise(), "≤ 4 MB")
        self.assertEqual(Row("", US).promise(), "")


class Tables(unittest.TestCase):
    def setUp(self):
        self.table = Table()
        self.table.put = lambda *cells: self.table.lines.update({cells[0]: (ROWS[cells[0]].what, *cells[1:])})

    def test_a_ratio_is_the_median_of_rounds_and_not_the_ratio_of_medians(self):
        self.assertEqual(ratio_of([10, 40, 90], [10, 10, 10]), 4)
        self.assertEqual(ratio_of([1, 2, 30], [1, 1, 10]), 2)

    def test_a_row_compares_two_contenders(self):
        ours, peer = [Shot(100), Shot(90), Shot(600)], [Shot(20, 50), Shot(10, 51), Shot(100, 52)]
        self.table.compare(turns("whoami haproxy", rate, ours, peer))
        self.assertEqual(self.table.lines["whoami haproxy"][1:],
                         ("100/s at 10.0 µs", "20/s at 51.0 µs somebody", "6.00", "≥ 5 (stretch ≥ 7)", "yes"))
        self.assertEqual(self.table.held(), (1, 1))

    def test_a_budget_that_does_not_hold_says_no_and_counts(self):
        self.table.figure("idle", 4.1)
        self.table.figure("start", 49)
        self.assertEqual([self.table.lines[key][5] for key in ("idle", "start")], ["**no**", "yes"])
        self.assertEqual(self.table.held(), (1, 2))

    def test_a_stretch_alone_is_no_budget(self):
        self.table.compare(turns("creates bullmq", float, [2, 2, 2], [4, 4, 4]))
        self.assertEqual(self.table.lines["creates bullmq"][5], "not reached")
        self.assertEqual(self.table.held(), (0, 0))

    def test_a_peer_that_cannot_run_has_a_row_that_says_why(self):
        self.table.compare(turns("whoami fastify", rate, [Shot(5)] * 3, broken))
        self.assertEqual(self.table.lines["whoami fastify"][2:], ("somebody: is / not here", "", "≥ 4", "not measured"))
        self.assertEqual((self.table.held(), self.table.unmeasured), ((0, 0), 1))

    def test_a_contender_of_ours_that_fails_fails_the_part(self):
        with self.assertRaises(Failed):
            self.table.compare(turns("creates bullmq", float, broken, [1] * 3))

    def test_who_failed_once_takes_no_further_turn(self):
        calls = []
        turns("creates bullmq", float, [1] * 3, lambda: calls.append(1) or broken())
        self.assertEqual(len(calls), 1)

    def test_nobody_runs_whom_no_row_needs(self):
        made = Turns([("creates bullmq", "ours", "peer", float, "BullMQ")])
        made.enter("a third", broken)
        made.run(1)
        self.assertEqual((made.failures, made.results), ({}, {}))

    def test_the_whole_table_keeps_its_order_and_names_what_is_missing(self):
        self.table.figure("start", 9)
        self.table.figure("idle", 1)
        lines = self.table.markdown(whole=True).splitlines()
        self.assertEqual(len(lines), 2 + len(ROWS))
        self.assertIn("| TLS kept alive: requests | not yet: TLS | | | ≥ 0.9 (stretch ≥ 1) | |", lines)
        self.assertEqual(len(self.table.markdown(whole=False).splitlines()), 4)

    def test_medians_stand_in_cells(self):
        self.assertEqual(cell([Shot(1000, 9), Shot(3000, 8), Shot(2000, 7)], rate, PER_S), "2,000/s at 8.0 µs")
        self.assertEqual(plain("a|b\n c"), "a/b c")
        self.assertEqual(numbers("creates 12.5\nnoise\nsteps 3\n"), {"creates": 12.5, "steps": 3})


class Files(unittest.TestCase):
    def test_every_program_compiles_and_stays_short(self):
        for path in [*HERE.glob("*.py"), *HERE.glob("peers/*.py")]:
            compile(path.read_text(), path, "exec")
            self.assertLessEqual(path.read_text().count("\n"), 400, path)

    def test_the_lock_file_names_no_registry(self):
        lock = (HERE / "peers" / "package-lock.json").read_text()
        self.assertNotIn('"resolved"', lock)
        self.assertNotIn("https://registry", lock)

    def test_a_page_without_marks_is_left_alone(self):
        with self.assertRaises(Failed):
            record(str(HERE / "rows.py"), "table")


if __name__ == "__main__":
    unittest.main()
