-- The tokens of a file, in turn: wrk ... -- FILE
dofile("tests/bench/report.lua")
local requests, at = {}, 0
function init(args)
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token, ["Host"] = "bench" })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
