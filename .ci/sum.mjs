// Adds up vitest's JSON reports and the steps that failed outside them. Prints what failed, then one line; exits 1 on
// any failure.
import { readFileSync } from 'node:fs'

const [failedSteps = '0', ...reports] = process.argv.slice(2)
let passed = 0
let failed = 0
let unreported = Number(failedSteps)
const failures = []
for (const file of reports) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    console.error(`no report in ${file}: ${error.message}`)
    failed += 1
    continue
  }
  passed += report.numPassedTests
  failed += report.numFailedTests
  // A file that did not load, or an error outside a test, fails the run without failing a test.
  const broken = report.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.every(({ status }) => status !== 'failed'),
  )
  failed += broken.length
  for (const { name, message, assertionResults } of report.testResults) {
    const tests = assertionResults.filter(({ status }) => status === 'failed')
    if (tests.length === 0 && message) failures.push(`${name}\n${message}`)
    for (const { fullName, failureMessages } of tests) {
      failures.push(`${name}\n${fullName}\n${failureMessages.join('\n').slice(0, 4000)}`)
    }
  }
  if (!report.success) unreported -= 1
}
failed += Math.max(0, unreported)
if (failures.length > 0) console.log(`== what failed\n${failures.join('\n\n')}\n`)
if (passed === 0) failed += 1
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
