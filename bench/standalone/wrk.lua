-- Sends the requests of a file, which are separated by NUL, in turn: wrk -s bench/standalone/wrk.lua URL -- FILE
-- Prints a line of JSON in the end: { requests, errors, seconds }.
local requests = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for each in (file:read("*a") .. "\0"):gmatch("(.-)%z") do
    requests[#requests + 1] = each
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"errors":%d,"seconds":%f}',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6
  ))
end
