from pathlib import Path

from prometheus_client import Counter, generate_latest

from ullage import gauges

SEEN = Counter("ullage_test_seen", "What this test counts.")


def test_the_api_shows_what_other_roles_left(tmp_path: Path):
    SEEN.inc(3)
    gauges.leave(tmp_path, "worker")
    assert "ullage_test_seen_total 3.0" in gauges.others(tmp_path, "api")
    assert gauges.others(tmp_path, "worker") == ""


def test_no_name_stands_twice_in_one_answer(tmp_path: Path):
    gauges.leave(tmp_path, "worker")
    both = generate_latest().decode() + gauges.others(tmp_path, "api")
    for name in ("process_cpu_seconds_total", "python_info"):
        assert both.count(f"# TYPE {name.removesuffix('_total')}") <= 1


def test_without_files_there_is_nothing_to_add(tmp_path: Path):
    assert gauges.others(tmp_path, "api") == ""
