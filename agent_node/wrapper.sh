# Becomes a run's command, at most once: wrapper.sh FOLDER BOOT WORKDIR INTERPRETER [ARGUMENT...]
#
# Started by process.py as the leader of its own session, with the command's environment and its output files in place.
# It must stay a POSIX sh script without a fork of its own before the command; its variables have names that nobody uses, because
# assigning to an exported name would change the command's environment. It reads nothing: sh does that byte by byte.
#
# 1. Claim FOLDER: create FOLDER/claim, which must not exist (O_EXCL, by noclobber): "PID BOOT". Whoever comes second leaves with 75
#    and has done nothing. That it lives can be seen from its command line, which names FOLDER as the second argument of sh.
# 2. Outlive the signals that the whole group gets: what a trap handles is back to normal in the command.
# 3. Append the command's return code and a newline to FOLDER/claim: one write, complete when the newline is there.
_jobplan_claim=$1/claim _jobplan_boot=$2 _jobplan_workdir=$3
shift 3
trap : HUP INT QUIT TERM USR1 USR2 ALRM
set -C
{ echo "$$ $_jobplan_boot" >"$_jobplan_claim"; } 2>/dev/null || exit 75
set +C
if [ -z "$_jobplan_workdir" ] || cd -- "$_jobplan_workdir"; then
    "$@"
    _jobplan_code=$?
else
    _jobplan_code=126
fi
echo "$_jobplan_code" >>"$_jobplan_claim"
exit "$_jobplan_code"
