-- One line for rig.py at the end of a run: requests, seconds, answers of 400 and above, errors, p50 and p99 in microseconds.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %.6f %d %d %.1f %.1f\n", summary.requests, summary.duration / 1e6, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
