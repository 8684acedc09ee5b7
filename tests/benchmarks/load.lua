-- Applications that are asked about once each: the bodies of a file in turn, @ID@ becomes a number of this run. With a
-- mean delay, each connection thinks after an answer for an exponentially distributed time. The figures are one JSON.
local bodies, number, run = {}, 0, os.getenv("RUN")
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local mean = tonumber(os.getenv("MEAN_DELAY_MS"))
local headers = {["content-type"] = "application/json"}

function init(arguments) math.randomseed(os.time()) end

function request()
  number = number + 1
  local body = bodies[number % #bodies + 1]:gsub("@ID@", run .. "-" .. number, 1)
  return wrk.format("POST", os.getenv("TARGET"), headers, body)
end

if mean > 0 then
  function delay() return math.floor(-mean * math.log(1 - math.random()) + math.random()) end
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format('{"requests": %d, "seconds": %f, "median": %f, "p99": %f, "failed": %d}\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
