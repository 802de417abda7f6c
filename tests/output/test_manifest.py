import pytest

from output.errors import OutputError, OutputMismatchError
from output.manifest import claim, name_first_source, read_manifest, write_manifest


def test_a_directory_belongs_to_the_first_who_claims_it(tmp_path):
    path = tmp_path / ".qastream" / "manifest.json"
    path.parent.mkdir()
    assert read_manifest(path) is None
    manifest = claim(path, cluster_id="c1", namespace="qa")
    assert claim(path, cluster_id="c1", namespace="qa") == manifest == read_manifest(path)
    for cluster, namespace, said in (
        ("c2", "qa", "Kafka cluster c1, not of c2"),
        ("c1", "qb", "namespace qa, not of qb"),
    ):
        with pytest.raises(OutputMismatchError, match=said) as caught:
            claim(path, cluster_id=cluster, namespace=namespace)
        assert caught.value.exit_code == 2


def test_the_first_source_is_kept(tmp_path):
    path = tmp_path / "manifest.json"
    manifest = claim(path, cluster_id="c1", namespace="qa").model_copy(update={"first_source": "texts"})
    write_manifest(path, manifest)
    assert claim(path, cluster_id="c1", namespace="qa").first_source == "texts"


def test_the_quicker_of_two_sinks_names_the_first_source(tmp_path):
    path = tmp_path / "manifest.json"
    one, other = (claim(path, cluster_id="c1", namespace="qa") for _ in range(2))
    assert name_first_source(path, one, "texts").first_source == "texts"
    assert name_first_source(path, other, "papers").first_source == "texts"
    assert read_manifest(path).first_source == "texts"


def test_sinks_that_share_partitions_need_them_to_stay_as_many(tmp_path):
    path = tmp_path / "manifest.json"
    assert claim(path, cluster_id="c1", namespace="qa").partitions == 0
    for _ in range(2):
        assert claim(path, cluster_id="c1", namespace="qa", partitions=12).partitions == 12
    with pytest.raises(OutputError, match=r"had 12 partitions .* and has 24 now.*one sink, without --only-partitions"):
        claim(path, cluster_id="c1", namespace="qa", partitions=24)
    assert claim(path, cluster_id="c1", namespace="qa").partitions == 12


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cluster_id": 1}'])
def test_an_unreadable_manifest_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="remove the file"):
        claim(path, cluster_id="c1", namespace="qa")
    assert path.read_bytes() == content
