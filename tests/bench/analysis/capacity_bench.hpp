#pragma once

namespace penumbra::bench {

/// The load a whole server holds, foretold from load trials at a quarter and a half of its size, on simulated servers.
void bench_capacity();

}  // namespace penumbra::bench
