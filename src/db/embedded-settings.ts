/**
 * Settings of the server, given on its command line and not in `postgresql.conf`, so that an upgrade of this product
 * changes them for every database there is. Meant for a machine of 2 GB that runs the application as well.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  cluster_name: "hpc_billing",
  // Money: what was answered with success is on the disk.
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  max_connections: "100",
  shared_buffers: "256MB",
  work_mem: "16MB",
  maintenance_work_mem: "128MB",
  effective_cache_size: "1GB",
  random_page_cost: "1.1",
  jit: "off",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  wal_compression: "pglz",
  max_wal_senders: "0",
  // Parallel queries would otherwise need room in /dev/shm, of which a container has 64 MB.
  dynamic_shared_memory_type: "sysv",
  // A query whose client was killed ends soon.
  client_connection_check_interval: "10s",
  timezone: "UTC",
  log_timezone: "UTC",
  log_destination: "stderr",
  logging_collector: "off",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
};

/** The settings as arguments of `postgres`; `extra` goes last and wins. */
export function settingArguments(extra: Readonly<Record<string, string>>): string[] {
  return Object.entries({ ...SETTINGS, ...extra }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
