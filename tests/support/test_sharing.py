from tests.support.sharing import group_of


def test_files_that_need_the_same_server_go_together():
    assert group_of("tests/test_guide.py") == group_of("tests/vllm_cpu/test_recipes.py") == "vllm_cpu"
    assert group_of("tests/messaging/test_access.py") == group_of("tests/test_secrets.py") == "secure_kafka"
    assert group_of("tests/test_imports.py") == "tests/test_imports.py"
