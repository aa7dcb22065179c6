"""The objects of the experiments are the same for everybody, and as the article says."""

import pytest

from labs.concurrency import workload


def test_the_file_is_what_its_program_writes():
    """Nobody edits it by hand, and a change of the program shows."""
    assert workload.file().read_text(encoding="utf-8") == workload.as_csv(workload.drawn())


@pytest.mark.parametrize(("bulk", "number"), [(False, 250), (True, 1500)])
def test_a_load_has_the_articles_number_and_sizes(bulk, number):
    objects = workload.objects(bulk=bulk)
    assert len(objects) == objects["key"].nunique() == number
    assert objects["bytes"].between(600e6, 800e6).all()


def test_bulk_is_about_a_terabyte():
    assert 0.95e12 < workload.objects(bulk=True)["bytes"].sum() < 1.1e12


def test_fewer_objects_are_the_first_ones():
    assert workload.objects(3).equals(workload.objects().head(3))
    with pytest.raises(ValueError, match="there are 250 objects"):
        workload.objects(251)


def test_bandwidth_is_that_of_an_average_object():
    assert workload.bandwidth(0.2) * 0.2 == pytest.approx(workload.objects()["bytes"].mean())
    with pytest.raises(ValueError, match="more than 0"):
        workload.bandwidth(0)


def test_objects_are_a_few_bytes_that_say_what_they_stand_for(buckets):
    [key] = buckets.fill(1)
    head = buckets.s3.head_object(Bucket=buckets.source, Key=key)
    assert head["ContentLength"] < 100
    assert head["Metadata"] == {"logical-size": str(workload.objects(1)["bytes"][0])}
