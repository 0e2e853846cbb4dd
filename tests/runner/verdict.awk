# SPDX-License-Identifier: GPL-2.0-only
#
# Judges the KTAP of one test program, given -v status=EXIT_STATUS. Prints
# "PASSED FAILED SKIPPED", then a line for each thing that is wrong with the
# program as a whole. Each of those counts as a failure, and so does each test
# of the plan that has no result.

function problem(text)
{
	problems[++problem_count] = text
}

function status_text()
{
	if (status == 120)
		return "the kernel printed a warning or a report, or leaked"
	if (status == 124 || status == 137)
		return "timed out"
	if (status == 125)
		return "the board could not be booted"
	if (status == 126 || status == 127)
		return "the test program could not be started"
	if (status > 128)
		return "ended by signal " (status - 128)
	return "unexpected exit status"
}

function judge_numbers(    n, missing)
{
	for (n = 1; n <= plan; n++)
		if (!(n in seen)) {
			missing_count++
			missing = missing " " n
		}
	if (missing_count > 10)
		problem_text = missing_count " tests"
	else
		problem_text = "number" missing
	if (missing_count)
		note = "problem: no result of " problem_text " of " plan
}

function judge_status()
{
	if (status == 1 && failed + missing_count + problem_count == 0)
		problem("exit status 1, although no test failed")
	else if (status != 0 && status != 1)
		problem("status " status ": " status_text())
}

{ sub(/\r$/, "") }

/^KTAP version / {
	if (header++)
		problem("a second header: " $0)
	if ($3 != 1 || plan_count || result_count)
		problem("wrong header: " $0)
	next
}

/^1\.\.[0-9]+( *#.*)?$/ {
	if (plan_count++)
		problem("a second plan: " $0)
	else if (result_count)
		problem("the plan comes after results")
	plan = substr($1, 4) + 0
	if (plan == 0 && $0 ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else if (plan == 0)
		problem("the plan is empty")
	next
}

/^(not )?ok [0-9]+( |$)/ {
	result_count++
	good = ($1 == "ok")
	number = (good ? $2 : $3) + 0
	if (number in seen)
		problem("a second result of number " number ": " $0)
	else if (number < 1 || (plan_count && number > plan))
		problem("a result that is not in the plan: " $0)
	else if (!good)
		failed++
	else if ($0 ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else
		passed++
	seen[number] = 1
	next
}

/^(not )?ok( |$)/ {
	problem("a result without a number: " $0)
}

END {
	if (!NR)
		problem("no output")
	else if (!header)
		problem("no KTAP header")
	if (NR && !plan_count)
		problem("no plan")
	judge_numbers()
	judge_status()
	print passed + 0, failed + missing_count + problem_count, skipped + 0
	if (note)
		print note
	for (n = 1; n <= problem_count; n++)
		print "problem: " problems[n]
}
