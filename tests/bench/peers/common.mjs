// What the queues' programs share: program SECONDS ...
export const seconds = Number(process.argv[2])
export const payload = { x: 1 }

const now = () => Number(process.hrtime.bigint()) / 1e9

// Not counted, since node compiles meanwhile: so many seconds of calls, so many jobs.
const WARM_SECONDS = 1
const WARM_JOBS = 1000

/** Calls work() from so many lanes until the time is over; how many a second, each counted as often as it says. */
export async function rate (lanes, work) {
  const began = now() + WARM_SECONDS
  let done = 0
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (now() - began < seconds) {
      const count = await work() ?? 1 // added only afterwards: other lanes have counted meanwhile
      if (now() >= began) done += count
    }
  }))
  return done / (now() - began)
}

/** Counts what `begin(done)` reports, until the time is over or so many were there. */
export async function throughput (most, begin) {
  let began = 0; let last = 0; let count = 0; let finish
  const over = new Promise(resolve => { finish = resolve })
  const stop = await begin(() => {
    last = now()
    if (++count === WARM_JOBS) began = last
    if (count === most || (began > 0 && last - began >= seconds)) finish()
  })
  await over
  const found = (count - WARM_JOBS) / (last - began)
  await stop()
  return found
}

/** Puts as many more, 500 at a time, as are missing to so many after creates a second. */
export async function fill (count, creates, item, put) {
  for (let left = count - creates * seconds; left > 0; left -= 500) await put(Array.from({ length: 500 }, item))
}

export function report (found) {
  for (const [name, value] of Object.entries(found)) console.log(name, value.toFixed(1))
  process.exit(0)
}
