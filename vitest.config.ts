import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          // By default one core stays free; of two that would be half.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          // For what hangs; a busy machine is no failure.
          testTimeout: 30_000,
          // What is written counts, not how it is painted: in CI colours would be on.
          env: { NO_COLOR: '1' },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/cluster/**'],
          env: { INTERCEPT_TEST_CLUSTER: 'embedded' },
          // Each file has a cluster of its own, and mostly waits.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          // The chart's test needs helm, which comes with the cluster.
          include: ['test/e2e/**/*.test.ts', 'test/install/chart.test.ts'],
          exclude: ['test/e2e/embedded/**'],
          env: { INTERCEPT_TEST_CLUSTER: 'kubeconfig' },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
