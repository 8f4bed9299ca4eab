"""What many centres run today: read a sacct dump, keep the jobs, sum the cores by user. Prints seconds and peak memory."""

import resource
import sys
import time

import pandas

started = time.perf_counter()
rows = pandas.read_csv(sys.argv[1], sep="|", dtype=str, quoting=3, on_bad_lines="skip", engine="c")
jobs = rows[~rows["JobIDRaw"].str.contains(".", regex=False)].copy()
for column in ("ElapsedRaw", "AllocCPUS"):
    jobs[column] = pandas.to_numeric(jobs[column], errors="coerce").fillna(0).astype("int64")
jobs["cpu_seconds"] = jobs["ElapsedRaw"] * jobs["AllocCPUS"]
jobs["mem"] = jobs["AllocTRES"].str.extract(r"mem=([\d.]+[KMGT]?)")
jobs["gpus"] = pandas.to_numeric(jobs["AllocTRES"].str.extract(r"gres/gpu=(\d+)")[0]).fillna(0)
total = jobs.groupby("User")["cpu_seconds"].sum()
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"{len(rows)} rows, {len(jobs)} jobs of {len(total)} users in {time.perf_counter() - started:.1f} s, peak memory {peak_mib} MiB")
