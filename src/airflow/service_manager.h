/* airflow/service_manager.h - what systemd, or who else has started us, wants to hear: its
 * notification protocol, a datagram to the socket that the variable NOTIFY_SOCKET names. */
#ifndef AIRFLOW_SERVICE_MANAGER_H
#define AIRFLOW_SERVICE_MANAGER_H

#define SERVICE_MANAGER_VARIABLE "NOTIFY_SOCKET"

/* Sends lines such as "READY=1". Without a socket (NULL), or when nobody listens, nothing happens:
 * we do the same in any case. */
void service_manager_tell(const char *socket_path, const char *lines);

#endif
