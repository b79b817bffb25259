# Becomes a run's command, at most once: wrapper.sh FOLDER WORKDIR INTERPRETER [ARGUMENT...]
#
# Started by process.py as the leader of its own session, with the command's environment and its output files in place.
# It must stay a POSIX sh script without a fork of its own before the command; its variables have names that nobody uses, because
# assigning to an exported name would change the command's environment.
#
# 1. Claim FOLDER: create FOLDER/claim, which must not exist (O_EXCL, by noclobber): "PID START BOOT". START is field 22 of the
#    process's stat line, counted behind its name, which may hold blanks. Whoever comes second leaves with 75 and has done nothing.
# 2. Outlive the signals that the whole group gets: what a trap handles is back to normal in the command.
# 3. Write the command's return code and a newline to FOLDER/exit: one write, complete when the newline is there.
_jobplan_folder=$1 _jobplan_workdir=$2
shift 2
_jobplan_start() { shift 19; _jobplan_started=$1; }
read -r _jobplan_stat </proc/$$/stat
read -r _jobplan_boot </proc/sys/kernel/random/boot_id
_jobplan_start ${_jobplan_stat##*) }
trap : HUP INT QUIT TERM USR1 USR2 ALRM
set -C
{ echo "$$ $_jobplan_started $_jobplan_boot" >"$_jobplan_folder/claim"; } 2>/dev/null || exit 75
set +C
if [ -z "$_jobplan_workdir" ] || cd -- "$_jobplan_workdir"; then
    "$@"
    _jobplan_code=$?
else
    _jobplan_code=126
fi
echo "$_jobplan_code" >"$_jobplan_folder/exit"
exit "$_jobplan_code"
