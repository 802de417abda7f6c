import pytest

from consumer.sink.errors import OutputError, OutputMismatchError
from consumer.sink.manifest import claim, read_manifest, write_manifest


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


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cluster_id": 1}'])
def test_an_unreadable_manifest_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="remove the file"):
        claim(path, cluster_id="c1", namespace="qa")
    assert path.read_bytes() == content
