# Leaks of 200,000 objects each, and the guest's own account of them.
insmod /lib/modules/lablife.ko hoard=200000 areas=200000 pages=200000
echo "=== TRUTH leaks"; dmesg | sed -n 's/.*lablife: /lost /p'
/more files /proc/slabinfo /proc/meminfo /proc/vmstat /proc/modules /proc/zoneinfo /proc/buddyinfo
echo "=== TRUTH end"
echo "lab: scenario ready" > /dev/kmsg
sleep 1; echo c > /proc/sysrq-trigger
