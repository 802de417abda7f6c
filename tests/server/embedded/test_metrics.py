from server.embedded.metrics import EmbeddedMetrics


def test_the_text_has_vllms_names():
    metrics = EmbeddedMetrics(running=2, waiting=1)
    metrics.success["stop"] += 3
    lines = metrics.exposition().splitlines()
    assert 'vllm:num_requests_running{engine="0",model_name="extractive"} 2.0' in lines
    assert 'vllm:num_requests_waiting{engine="0",model_name="extractive"} 1.0' in lines
    assert 'vllm:request_success_total{engine="0",model_name="extractive",finished_reason="stop"} 3.0' in lines
    assert all(line.startswith(("# HELP vllm:", "# TYPE vllm:", "vllm:")) for line in lines)
