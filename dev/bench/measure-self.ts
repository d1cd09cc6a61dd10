// Preloaded (`node --import`) into a process that is measured: at its end it notes what it used, so that neither the
// start of another program nor the waiting of its parent is counted.
import { writeFileSync } from "node:fs";

const file = process.env.ROTATION_BENCH_NOTE;
if (file !== undefined) {
  process.once("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(file, JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS / 1024 }));
  });
}
