#pragma once

namespace penumbra::bench {

/// judge_ms (ten metrics over 10,000 windows of each arm) and bank_ms (99 A/A runs), in CPU time.
void bench_judge();

}  // namespace penumbra::bench
