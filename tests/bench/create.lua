-- Creates tasks of the demo's line of four steps, each with a context of its own: wrk ... -- TOKEN
dofile("tests/bench/report.lua")
local headers, at = { ["Content-Type"] = "application/json", ["Host"] = "bench" }, 0
local body = '{"name":"linear","namespace":"demo","version":"1.0.0","context":{"nonce":"%s"},' ..
  '"initiator":"bench","source_system":"bench","reason":"creates"}'
local run
function init(args)
  headers["Authorization"] = "Bearer " .. args[1]
  run = args[2]
end
function request()
  at = at + 1
  return wrk.format("POST", "/v1/tasks", headers, body:format(run .. "-" .. at))
end
