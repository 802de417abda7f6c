from inference.client import QueueSample
from inference.vllm_metrics import parse_queue


def test_the_queue_is_the_sum_over_engines():
    text = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m {x}"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0"} 4.0
vllm:num_requests_waiting_by_reason{reason="capacity"} 9.0
"""
    assert parse_queue(text) == QueueSample(5, 4)
    assert parse_queue("other 1.0") is None


def test_what_tokens_took_is_read_where_it_is_told():
    name = "vllm:inter_token_latency_seconds"
    text = f"""vllm:num_requests_running 2.0
vllm:num_requests_waiting 0.0
{name}_bucket{{engine="0",le="0.01"}} 7.0
{name}_count{{engine="0"}} 100.0
{name}_count{{engine="1"}} 50.0
{name}_sum{{engine="0"}} 1.5
{name}_sum{{engine="1"}} 0.5
"""
    assert parse_queue(text) == QueueSample(2, 0, tokens=150, tokens_s=2.0)
