// SPDX-License-Identifier: GPL-3.0-or-later
// Differentiable 3D Gaussian splatting on the CPU (Kerbl et al. 2023; projection after Zwicker et al. 2001, EWA).
//
// The maths and the arguments are those of gsplat.rasterization; torch_reference.py beside this folder is the
// same in readable form. This file is compiled once per instruction set (VW = floats per vector) into plain
// shared libraries with a C interface: no torch, no Python, no OpenMP.
//
// Order of work, forward:  project every Gaussian -> sort the visible by depth -> list them per tile -> blend.
// Backward walks each tile front to back again and leaves one row of sums per (Gaussian, tile); the rows of a
// Gaussian are then added in a fixed order. No sum depends on which thread did what, so results are bitwise
// equal for any number of threads.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#ifndef VW
#define VW 4
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif
#ifdef _WIN32
#define API extern "C" __declspec(dllexport)
#else
#define API extern "C" __attribute__((visibility("default")))
#endif

// ---------------------------------------------------------------------------------------------- vectors
typedef float vf __attribute__((vector_size(VW * 4)));
typedef int32_t vi __attribute__((vector_size(VW * 4)));
typedef uint32_t vu __attribute__((vector_size(VW * 4)));

constexpr int TILE = 16;
constexpr int BLOCKS = TILE / VW;  // vectors in a tile's row

static inline vf splat(float x) { return vf{} + x; }
static inline vf select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
static inline vf lane_centres() {
    vf v;
    for (int i = 0; i < VW; i++) v[i] = i + 0.5f;
    return v;
}
static inline float sum(vf v) {
    float s = 0;
    for (int i = 0; i < VW; i++) s += v[i];
    return s;
}
static inline bool any(vi m) {
#if defined(__AVX512F__) && VW == 16
    return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0;
#elif defined(__AVX__) && VW == 8
    return !_mm256_testz_si256((__m256i)m, (__m256i)m);
#elif defined(__SSE4_1__) && VW == 4
    return !_mm_testz_si128((__m128i)m, (__m128i)m);
#else
    return __builtin_reduce_or(m) != 0;
#endif
}
// exp(-s) for s >= 0: 2^n by the exponent's bits, 2^f on [-1/2, 1/2] by a minimax polynomial (relative error 3e-9).
static inline vf exp_neg(vf s) {
    const vf t = s * -1.44269504088896341f;
    const vf magic = splat(12582912.f);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
    const vf r = select(t < -125.f, splat(-125.f), t) + magic;
    const vf f = select(t < -125.f, splat(0.f), t - (r - magic));
    vf p = f * 1.54697362e-4f + 1.34004369e-3f;
    p = p * f + 9.61802559e-3f;
    p = p * f + 5.55032720e-2f;
    p = p * f + 2.40226512e-1f;
    p = p * f + 6.93147207e-1f;
    p = p * f + 1.0f;
    return (vf)((vu)p + ((vu)r << 23));  // unsigned: the shift drops the sign's bit
}

// ---------------------------------------------------------------------------------------------- threads
class Pool {
public:
    explicit Pool(int count) : wanted_(count), count_(1) {
        try {
            threads_.reserve(count);
            for (; count_ < count; count_++) threads_.emplace_back([this] { work(); });
        } catch (const std::system_error&) {}  // the system gives no more threads: fewer do the same work
    }
    ~Pool() {
        { std::lock_guard<std::mutex> lock(mutex_); stop_ = true; }
        start_.notify_all();
        for (auto& t : threads_) t.join();
    }
    void run(const std::function<void()>& job) {
        if (count_ == 1) return job();
        { std::lock_guard<std::mutex> lock(mutex_); job_ = &job; busy_ = count_ - 1; generation_++; }
        start_.notify_all();
        job();
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
    }
    int count() const { return count_; }
    int wanted() const { return wanted_; }

private:
    void work() {
        for (int64_t seen = 0;;) {
            std::unique_lock<std::mutex> lock(mutex_);
            start_.wait(lock, [&] { return stop_ || generation_ != seen; });
            if (stop_) return;
            seen = generation_;
            const auto* job = job_;
            lock.unlock();
            (*job)();
            lock.lock();
            if (--busy_ == 0) done_.notify_one();
        }
    }
    int wanted_, count_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable start_, done_;
    const std::function<void()>* job_ = nullptr;
    int64_t generation_ = 0;
    int busy_ = 0;
    bool stop_ = false;
};

static std::mutex g_pool_mutex;  // one parallel call at a time; callers from other threads wait
static Pool* g_pool = nullptr;

// Calls body(begin, end) for blocks of `grain` items; blocks start at multiples of `grain` for any thread count.
template <class Body>
static void parallel_for(int64_t n, int64_t grain, const Body& body) {
    if (n <= 0) return;
    if (n <= grain || g_pool->count() == 1) {
        for (int64_t a = 0; a < n; a += grain) body(a, std::min(n, a + grain));
        return;
    }
    std::atomic<int64_t> next(0);
    g_pool->run([&] {
        for (int64_t a; (a = next.fetch_add(grain)) < n;) body(a, std::min(n, a + grain));
    });
}

// ---------------------------------------------------------------------------------------------- interface
// Mirrors RasterArgs in kernels.py field by field. Arrays are C-contiguous float32.
struct RasterArgs {
    int32_t count, width, height;
    int32_t sh_coeffs;    // K of sh (N, K, 3); unused when sh_degree < 0
    int32_t sh_degree;    // 0..3, or -1: `colors` is (N, 3), used as given
    int32_t with_depth;   // 1: a fourth channel holds the blended camera depth
    int32_t antialiased;  // 1: opacity scaled by sqrt(det / blurred det)
    int32_t traced;       // 1: as dense, and laid over each other, as each pixel's ray meets them; not as projected
    float near_plane, far_plane, eps2d, alpha_threshold, max_alpha, min_transmittance;
    const float *means, *quats, *scales, *opacities, *colors;
    const float *viewmat;     // (4, 4) world to camera, OpenCV axes
    const float *K;           // (3, 3) pixels
    const float *background;  // (3,)
};

struct Projected {  // one cache line; what blending needs of a Gaussian
    float x, y;           // centre, pixels
    float A, B, C;        // conic: inverse of the blurred 2D covariance
    float limit;          // sigma beyond which nothing is drawn
    float opacity;        // compensated when antialiased
    float channel[4];     // r, g, b, depth
    float rx, ry;         // half extents in pixels
    float tile_limit;     // sigma of the ellipse at the centre beyond which nothing is drawn
    float pad[2];
};

// How rays meet a Gaussian, by the offsets dx, dy from their pixel to the centre: polynomials of the second degree.
struct Square {
    float one, x, y, xx, xy, yy;
    float at(float dx, float dy) const { return one + dx * (x + xx * dx + xy * dy) + dy * (y + yy * dy); }
    bool finite() const { return std::isfinite(one + x + y + xx + xy + yy); }
};
struct RayMeeting {
    Square bend;  // how much longer a ray (x, y, 1) is than the centre's, in the Gaussian's deviations, squared
    Square ends;  // negative where the Gaussian has ended
    float depth;  // of the centre
};

struct RegionWeight {  // mirrored by a numpy record in kernels.py
    int32_t gaussian, region;
    float weight;
};

struct TracedTile;
struct View {  // buffers of one rendering, reused from step to step
    std::vector<Projected> projected;
    std::vector<float> depth;
    std::vector<RayMeeting> meetings;                  // where traced
    std::vector<int32_t> tile_count, rank;
    std::vector<uint32_t> order, keys, keys2, order2;  // visible Gaussians, front to back
    std::vector<int32_t> pair_start;                   // per rank: first of its (Gaussian, tile) pairs
    std::vector<int32_t> pair_tile, pair_slot;         // per pair: the tile, and its place in tile_list
    std::vector<int32_t> tile_start, tile_used, cursor;
    std::vector<uint32_t> tile_list;                   // Gaussians per tile, front to back
    std::vector<uint32_t> list2;                       // where traced: tile_list, sorted anew
    std::vector<int32_t> moved;                        // per slot: where that put it
    std::vector<float> nearest;                        // per slot: no ray of the tile meets it nearer
    std::vector<float> blended, transmittance;         // before the background: (H, W, channels), (H, W)
    std::vector<float> pair_grad;                      // per slot: sums over the tile's pixels
    std::vector<std::vector<RegionWeight>> region_weights;  // per tile
    std::vector<std::unique_ptr<TracedTile>> spare;
    std::mutex mutex;                                  // of `spare`
    int tiles_x = 0, tiles_y = 0;
};

// ---------------------------------------------------------------------------------------------- camera
struct Camera {
    float V[12], fx, fy, cx, cy, position[3];
    float lim_x_pos, lim_x_neg, lim_y_pos, lim_y_neg;  // where the Jacobian stops following the centre
};

static Camera make_camera(const RasterArgs& a) {
    Camera c;
    std::memcpy(c.V, a.viewmat, sizeof c.V);
    c.fx = a.K[0], c.fy = a.K[4], c.cx = a.K[2], c.cy = a.K[5];
    const float* V = c.V;
    for (int i = 0; i < 3; i++) c.position[i] = -(V[i] * V[3] + V[4 + i] * V[7] + V[8 + i] * V[11]);
    const float margin_x = 0.15f * a.width / c.fx, margin_y = 0.15f * a.height / c.fy;
    c.lim_x_pos = (a.width - c.cx) / c.fx + margin_x, c.lim_x_neg = c.cx / c.fx + margin_x;
    c.lim_y_pos = (a.height - c.cy) / c.fy + margin_y, c.lim_y_neg = c.cy / c.fy + margin_y;
    return c;
}

// ---------------------------------------------------------------------------------------------- rotation
static inline float quat_to_rotation(const float* q, float* unit, float* R) {
    const float inv = 1.f / std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3] + 1e-24f);
    for (int i = 0; i < 4; i++) unit[i] = q[i] * inv;
    const float w = unit[0], x = unit[1], y = unit[2], z = unit[3];
    R[0] = 1 - 2 * (y * y + z * z), R[1] = 2 * (x * y - w * z), R[2] = 2 * (x * z + w * y);
    R[3] = 2 * (x * y + w * z), R[4] = 1 - 2 * (x * x + z * z), R[5] = 2 * (y * z - w * x);
    R[6] = 2 * (x * z - w * y), R[7] = 2 * (y * z + w * x), R[8] = 1 - 2 * (x * x + y * y);
    return inv;
}
static inline void rotation_to_quat_grad(const float* u, const float* vR, float inv, float* out) {
    const float w = u[0], x = u[1], y = u[2], z = u[3];
    float g[4];
    g[0] = 2 * (x * (vR[7] - vR[5]) + y * (vR[2] - vR[6]) + z * (vR[3] - vR[1]));
    g[1] = 2 * (-2 * x * (vR[4] + vR[8]) + y * (vR[1] + vR[3]) + z * (vR[2] + vR[6]) + w * (vR[7] - vR[5]));
    g[2] = 2 * (x * (vR[1] + vR[3]) - 2 * y * (vR[0] + vR[8]) + z * (vR[5] + vR[7]) + w * (vR[2] - vR[6]));
    g[3] = 2 * (x * (vR[2] + vR[6]) + y * (vR[5] + vR[7]) - 2 * z * (vR[0] + vR[4]) + w * (vR[3] - vR[1]));
    const float along = g[0] * w + g[1] * x + g[2] * y + g[3] * z;  // the length of q does not matter
    for (int k = 0; k < 4; k++) out[k] = (g[k] - along * u[k]) * inv;
}

// ---------------------------------------------------------------------------------------------- harmonics
// Real spherical harmonics in the recurrences of Sloan, "Efficient Spherical Harmonic Evaluation" (JCGT 2013).
static inline void sh_basis(int degree, float x, float y, float z, float* b) {
    b[0] = 0.2820947917738781f;
    if (degree < 1) return;
    b[1] = -0.48860251190292f * y, b[2] = 0.48860251190292f * z, b[3] = -0.48860251190292f * x;
    if (degree < 2) return;
    const float z2 = z * z, t0 = -1.092548430592079f * z, c1 = x * x - y * y, s1 = 2 * x * y;
    b[4] = 0.5462742152960395f * s1, b[5] = t0 * y, b[6] = 0.9461746957575601f * z2 - 0.3153915652525201f;
    b[7] = t0 * x, b[8] = 0.5462742152960395f * c1;
    if (degree < 3) return;
    const float t1 = -2.285228997322329f * z2 + 0.4570457994644658f, t2 = 1.445305721320277f * z;
    const float c2 = x * c1 - y * s1, s2 = x * s1 + y * c1;
    b[9] = -0.5900435899266435f * s2, b[10] = t2 * s1, b[11] = t1 * y;
    b[12] = z * (1.865881662950577f * z2 - 1.119528997770346f);
    b[13] = t1 * x, b[14] = t2 * c1, b[15] = -0.5900435899266435f * c2;
}
// out += sum_k v[k] * d basis_k / d(x, y, z)
static inline void sh_basis_grad(int degree, float x, float y, float z, const float* v, float* out) {
    float dx = 0, dy = 0, dz = 0;
    if (degree >= 1) {
        const float k = 0.48860251190292f;
        dy -= k * v[1], dz += k * v[2], dx -= k * v[3];
    }
    if (degree >= 2) {
        const float a = 1.092548430592079f, h = 1.092548430592079f;
        dx += h * y * v[4], dy += h * x * v[4];
        dy -= a * z * v[5], dz -= a * y * v[5];
        dz += 1.8923493915151202f * z * v[6];
        dx -= a * z * v[7], dz -= a * x * v[7];
        dx += h * x * v[8], dy -= h * y * v[8];
    }
    if (degree >= 3) {
        const float z2 = z * z, c1 = x * x - y * y, s1 = 2 * x * y, q = -0.5900435899266435f;
        const float t1 = -2.285228997322329f * z2 + 0.4570457994644658f, t1z = -4.570457994644658f * z;
        const float w = 1.445305721320277f;
        dx += q * 6 * x * y * v[9], dy += q * 3 * c1 * v[9];
        dx += 2 * w * z * y * v[10], dy += 2 * w * z * x * v[10], dz += w * s1 * v[10];
        dy += t1 * v[11], dz += t1z * y * v[11];
        dz += (5.597644988851731f * z2 - 1.119528997770346f) * v[12];
        dx += t1 * v[13], dz += t1z * x * v[13];
        dx += 2 * w * z * x * v[14], dy -= 2 * w * z * y * v[14], dz += w * c1 * v[14];
        dx += q * 3 * c1 * v[15], dy -= q * 6 * x * y * v[15];
    }
    out[0] += dx, out[1] += dy, out[2] += dz;
}
static inline int sh_count(int degree) { return (degree + 1) * (degree + 1); }

// ---------------------------------------------------------------------------------------------- projection
static inline float clampf(float x, float lo, float hi) { return x < lo ? lo : (x > hi ? hi : x); }
// The whole number that a float holds, within bounds: a conversion of what no int32 holds is undefined. NaN: lo.
static inline int whole(float x, int lo, int hi) { return !(x > (float)lo) ? lo : (x >= (float)hi ? hi : (int)x); }

struct Ewa {  // intermediate values of one projection, shared by forward and backward
    float X, Y, Z, inv_z, ux, uy, cux, cuy;  // camera space, slopes, clamped slopes
    float R[9], unit[4], inv_norm;
    float j00, j02, j11, j12;                // Jacobian of the perspective division
    float t0[3], t1[3];                      // rows of J * view rotation
    float u[3], v[3];                        // rows of J * view rotation * R (before the scales)
    float a, b, d;                           // 2D covariance before the blur
};

static inline void ewa(const Camera& c, const float* m, const float* q, const float* s, Ewa& e) {
    const float* V = c.V;
    e.X = V[0] * m[0] + V[1] * m[1] + V[2] * m[2] + V[3];
    e.Y = V[4] * m[0] + V[5] * m[1] + V[6] * m[2] + V[7];
    e.Z = V[8] * m[0] + V[9] * m[1] + V[10] * m[2] + V[11];
    e.inv_z = 1.f / e.Z;
    e.inv_norm = quat_to_rotation(q, e.unit, e.R);
    e.ux = e.X * e.inv_z, e.uy = e.Y * e.inv_z;
    e.cux = clampf(e.ux, -c.lim_x_neg, c.lim_x_pos), e.cuy = clampf(e.uy, -c.lim_y_neg, c.lim_y_pos);
    e.j00 = c.fx * e.inv_z, e.j02 = -c.fx * e.cux * e.inv_z;
    e.j11 = c.fy * e.inv_z, e.j12 = -c.fy * e.cuy * e.inv_z;
    for (int i = 0; i < 3; i++) {
        e.t0[i] = e.j00 * V[i] + e.j02 * V[8 + i];
        e.t1[i] = e.j11 * V[4 + i] + e.j12 * V[8 + i];
    }
    e.a = e.b = e.d = 0;
    for (int k = 0; k < 3; k++) {
        e.u[k] = e.t0[0] * e.R[k] + e.t0[1] * e.R[3 + k] + e.t0[2] * e.R[6 + k];
        e.v[k] = e.t1[0] * e.R[k] + e.t1[1] * e.R[3 + k] + e.t1[2] * e.R[6 + k];
        const float us = e.u[k] * s[k], vs = e.v[k] * s[k];
        e.a += us * us, e.b += us * vs, e.d += vs * vs;
    }
}

constexpr float FLATTEST = 1e-2f;  // of the longest axis: thinner ones only cost digits
constexpr float FAINTEST = 0.01f;  // where a Gaussian that is traced ends, along its longest axis
constexpr float AROUND = 1e6f;     // the bend of what reaches around the camera

// The densest that a Gaussian of centre c and inverse covariance Q gets along a ray r = (x, y, 1) is by
// sigma = |W r x W c|^2 / (2 |W r|^2), W'W = Q (Moenne-Loccoz et al. 2024, 3D Gaussian Ray Tracing, eq. 8, 9). From r to
// the centre's own ray r0 the numerator is a quadratic form: the one of EWA splatting times |W r0|^2. So EWA is exact but for
// |W r|^2 / |W r0|^2, the bend. It is densest at the depth r'Qc / r'Qr, whose numerator has half of the bend's slope.
static Square bend_of(const RasterArgs& args, const Camera& c, int64_t i, const Ewa& e) {
    const float *s = args.scales + 3 * i, *V = c.V;
    const float least = FLATTEST * std::max(s[0], std::max(s[1], s[2]));
    float W[9], q[6];
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 3; k++)
            W[3 * r + k] = (V[4 * r] * e.R[k] + V[4 * r + 1] * e.R[3 + k] + V[4 * r + 2] * e.R[6 + k]) / std::max(s[k], least);
    int at = 0;
    for (int r = 0; r < 3; r++)
        for (int k = r; k < 3; k++) q[at++] = W[3 * r] * W[3 * k] + W[3 * r + 1] * W[3 * k + 1] + W[3 * r + 2] * W[3 * k + 2];
    const float gx = q[0] * e.ux + q[1] * e.uy + q[2], gy = q[1] * e.ux + q[3] * e.uy + q[4];  // Q r0
    const float gz = q[2] * e.ux + q[4] * e.uy + q[5];
    const float inv = 1.f / (gx * e.ux + gy * e.uy + gz), ix = 1.f / c.fx, iy = 1.f / c.fy;
    return {1, -2 * gx * ix * inv, -2 * gy * iy * inv, q[0] * ix * ix * inv, 2 * q[1] * ix * iy * inv, q[3] * iy * iy * inv};
}

// A Gaussian ends at the sphere around it on which its longest axis is FAINTEST. |r x c|^2 <= radius^2 |r|^2, by radius^2.
static Square ends_of(const Camera& c, const Ewa& e, float radius) {
    const float ix = 1.f / c.fx, iy = 1.f / c.fy, z2 = e.Z * e.Z / (radius * radius);
    return {1 + e.ux * e.ux + e.uy * e.uy, -2 * e.ux * ix, -2 * e.uy * iy, (1 - z2 * (1 + e.uy * e.uy)) * ix * ix,
            2 * z2 * e.ux * e.uy * ix * iy, (1 - z2 * (1 + e.ux * e.ux)) * iy * iy};
}

// Of an ellipsoid of covariance S (upper triangle) around the centre: how far its picture reaches from the centre's, and
// the middle of the box around it, as slopes. A line l of the picture touches that where l' (S - c c') l = 0. False: it
// reaches around the camera.
static bool box_of(const Ewa& e, const float* S, float* middle, float* half) {
    const float zz = S[5] - e.Z * e.Z;
    if (!(zz < 0)) return false;
    middle[0] = (S[2] - e.X * e.Z) / zz, middle[1] = (S[4] - e.Y * e.Z) / zz;
    half[0] = std::sqrt(std::max(0.f, middle[0] * middle[0] - (S[0] - e.X * e.X) / zz));
    half[1] = std::sqrt(std::max(0.f, middle[1] * middle[1] - (S[3] - e.Y * e.Y) / zz));
    return true;
}

// The bend's largest value where the Gaussian is drawn: over the corners of the box around the picture of the ellipsoid of
// `limit`.
static float largest_bend(const Camera& c, const Ewa& e, const float* scales, float limit, const Square& bend) {
    const float* V = c.V;
    float S[6], middle[2], half[2];
    int at = 0;
    for (int r = 0; r < 3; r++)
        for (int k = r; k < 3; k++, at++) {
            S[at] = 0;
            for (int d = 0; d < 3; d++) {
                const float u = V[4 * r] * e.R[d] + V[4 * r + 1] * e.R[3 + d] + V[4 * r + 2] * e.R[6 + d];
                const float w = V[4 * k] * e.R[d] + V[4 * k + 1] * e.R[3 + d] + V[4 * k + 2] * e.R[6 + d];
                S[at] += 2 * limit * u * w * scales[d] * scales[d];
            }
        }
    if (!box_of(e, S, middle, half)) return AROUND;
    float most = 1;
    for (int corner = 0; corner < 4; corner++) {
        const float x = middle[0] + (corner & 1 ? half[0] : -half[0]), y = middle[1] + (corner & 2 ? half[1] : -half[1]);
        most = std::max(most, bend.at(c.fx * (e.ux - x), c.fy * (e.uy - y)));
    }
    return 1.02f * most;  // the blur reaches a little farther
}

// Sets how rays meet the Gaussian, and narrows its box in the picture to that of the sphere at which it ends.
static void trace(const RasterArgs& args, const Camera& c, int64_t i, const Ewa& e, float a, float d, Projected& p,
                  RayMeeting& m) {
    const float* s = args.scales + 3 * i;
    const float longest = std::max(s[0], std::max(s[1], s[2]));
    const float radius = longest * std::sqrt(2 * std::log(args.opacities[i] / FAINTEST)), r2 = radius * radius;
    m = {bend_of(args, c, i, e), ends_of(c, e, radius), e.Z};
    p.tile_limit *= largest_bend(c, e, s, p.limit, m.bend);
    const float extent = std::sqrt(2 * p.tile_limit), sphere[6] = {r2, 0, 0, r2, 0, r2};
    p.rx = extent * std::sqrt(a), p.ry = extent * std::sqrt(d);
    float middle[2], half[2];
    if (!box_of(e, sphere, middle, half)) return;
    p.rx = std::min(p.rx, c.fx * (std::fabs(middle[0] - e.ux) + half[0]) + 0.01f);
    p.ry = std::min(p.ry, c.fy * (std::fabs(middle[1] - e.uy) + half[1]) + 0.01f);
}

// False when the Gaussian can't be seen, or its numbers can't be drawn; `depth` is set only when it can.
static bool project(const RasterArgs& args, const Camera& c, int64_t i, Projected& p, float& depth, RayMeeting* meeting) {
    const float* m = args.means + 3 * i;
    const float z = c.V[8] * m[0] + c.V[9] * m[1] + c.V[10] * m[2] + c.V[11];
    if (!(z > args.near_plane && z < args.far_plane)) return false;
    Ewa e;
    ewa(c, m, args.quats + 4 * i, args.scales + 3 * i, e);
    const float a = e.a + args.eps2d, d = e.d + args.eps2d, det = a * d - e.b * e.b;
    if (!(det > 0) || !std::isfinite(det)) return false;
    float opacity = args.opacities[i];
    if (args.antialiased) opacity *= std::sqrt(std::max(0.f, (e.a * e.d - e.b * e.b) / det));
    if (!(opacity >= args.alpha_threshold) || (meeting && !(args.opacities[i] > FAINTEST))) return false;
    p.tile_limit = p.limit = std::log(opacity / args.alpha_threshold);
    const float extent = std::sqrt(2 * p.limit);
    p.x = c.fx * e.ux + c.cx, p.y = c.fy * e.uy + c.cy;
    p.rx = extent * std::sqrt(a), p.ry = extent * std::sqrt(d);
    if (meeting) trace(args, c, i, e, a, d, p, *meeting);
    if (!(p.x + p.rx > 0 && p.x - p.rx < args.width && p.y + p.ry > 0 && p.y - p.ry < args.height)) return false;
    const float inv_det = 1.f / det;
    p.A = d * inv_det, p.B = -e.b * inv_det, p.C = a * inv_det, p.opacity = opacity;
    depth = z;
    return std::isfinite(p.A) && std::isfinite(p.B) && std::isfinite(p.C) && std::isfinite(p.x) && std::isfinite(p.y) &&
           std::isfinite(opacity) && (!meeting || (meeting->bend.finite() && meeting->ends.finite()));
}

static inline float view_direction(const Camera& c, const float* m, float* dir) {
    for (int k = 0; k < 3; k++) dir[k] = m[k] - c.position[k];
    const float inv = 1.f / std::sqrt(dir[0] * dir[0] + dir[1] * dir[1] + dir[2] * dir[2] + 1e-24f);
    for (int k = 0; k < 3; k++) dir[k] *= inv;
    return inv;
}

// False where the colour is no number.
static bool shade(const RasterArgs& args, const Camera& c, int64_t i, Projected& p) {
    if (args.sh_degree < 0) {
        std::memcpy(p.channel, args.colors + 3 * i, 3 * sizeof(float));
        return std::isfinite(p.channel[0]) && std::isfinite(p.channel[1]) && std::isfinite(p.channel[2]);
    }
    float dir[3], basis[16];
    view_direction(c, args.means + 3 * i, dir);
    sh_basis(args.sh_degree, dir[0], dir[1], dir[2], basis);
    const float* sh = args.colors + i * args.sh_coeffs * 3;
    float rgb[3] = {0.5f, 0.5f, 0.5f};
    for (int k = 0; k < sh_count(args.sh_degree); k++)
        for (int j = 0; j < 3; j++) rgb[j] += basis[k] * sh[3 * k + j];
    for (int j = 0; j < 3; j++) p.channel[j] = std::max(0.f, rgb[j]);
    return std::isfinite(rgb[0]) && std::isfinite(rgb[1]) && std::isfinite(rgb[2]);
}

// Does the ellipse reach the tile? The least sigma over the rectangle of its pixel centres decides.
static inline bool touches(const Projected& p, float x0, float x1, float y0, float y1) {
    const float dx0 = x0 - p.x, dx1 = x1 - p.x, dy0 = y0 - p.y, dy1 = y1 - p.y;
    const bool in_x = dx0 <= 0 && dx1 >= 0, in_y = dy0 <= 0 && dy1 >= 0;
    if (in_x && in_y) return true;
    float best = 1e30f;
    if (!in_x) {
        const float dx = dx0 > 0 ? dx0 : dx1, dy = clampf(-p.B * dx / p.C, dy0, dy1);
        best = 0.5f * (p.A * dx * dx + p.C * dy * dy) + p.B * dx * dy;
    }
    if (!in_y) {
        const float dy = dy0 > 0 ? dy0 : dy1, dx = clampf(-p.B * dy / p.A, dx0, dx1);
        best = std::min(best, 0.5f * (p.A * dx * dx + p.C * dy * dy) + p.B * dx * dy);
    }
    return best <= p.tile_limit * 1.0001f + 1e-5f;
}

template <class Visit>
static inline void for_tiles(const View& v, const Projected& p, const Visit& visit) {
    const int x0 = whole(std::floor((p.x - p.rx - 0.5f) / TILE), 0, v.tiles_x);
    const int x1 = whole(std::floor((p.x + p.rx + 0.5f) / TILE), -1, v.tiles_x - 1);
    const int y0 = whole(std::floor((p.y - p.ry - 0.5f) / TILE), 0, v.tiles_y);
    const int y1 = whole(std::floor((p.y + p.ry + 0.5f) / TILE), -1, v.tiles_y - 1);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++)
            if (touches(p, x * TILE + 0.5f, x * TILE + TILE - 0.5f, y * TILE + 0.5f, y * TILE + TILE - 0.5f))
                visit(y * v.tiles_x + x);
}

// ---------------------------------------------------------------------------------------------- lists
static void project_all(const RasterArgs& args, const Camera& c, View& v) {
    const size_t n = args.count;
    v.projected.resize(n), v.depth.resize(n), v.tile_count.resize(n), v.meetings.resize(args.traced ? n : 0);
    parallel_for(n, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            Projected& p = v.projected[i];
            int tiles = 0;
            RayMeeting* meeting = args.traced ? &v.meetings[i] : nullptr;
            if (project(args, c, i, p, v.depth[i], meeting) && shade(args, c, i, p)) for_tiles(v, p, [&](int) { tiles++; });
            v.tile_count[i] = tiles;
            if (tiles) p.channel[3] = v.depth[i];
        }
    });
}

static void sort_by_depth(int64_t count, View& v) {  // stable radix sort on the bits of positive floats
    v.order.clear(), v.rank.assign(count, -1);
    for (int64_t i = 0; i < count; i++)
        if (v.tile_count[i]) v.order.push_back((uint32_t)i);
    const size_t n = v.order.size();
    v.keys.resize(n), v.keys2.resize(n), v.order2.resize(n);
    for (size_t j = 0; j < n; j++) std::memcpy(&v.keys[j], &v.depth[v.order[j]], 4);
    for (int shift = 0; shift < 32; shift += 11) {
        uint32_t start[2049] = {0};
        for (size_t j = 0; j < n; j++) start[((v.keys[j] >> shift) & 2047) + 1]++;
        for (int b = 0; b < 2048; b++) start[b + 1] += start[b];
        for (size_t j = 0; j < n; j++) {
            const uint32_t to = start[(v.keys[j] >> shift) & 2047]++;
            v.keys2[to] = v.keys[j], v.order2[to] = v.order[j];
        }
        v.keys.swap(v.keys2), v.order.swap(v.order2);
    }
    for (size_t j = 0; j < n; j++) v.rank[v.order[j]] = (int32_t)j;
}

static bool list_per_tile(View& v) {
    const int64_t visible = (int64_t)v.order.size(), tiles = (int64_t)v.tiles_x * v.tiles_y;
    v.pair_start.resize(visible + 1), v.pair_start[0] = 0;
    int64_t pairs = 0;
    for (int64_t j = 0; j < visible; j++) {
        pairs += v.tile_count[v.order[j]];
        if (pairs > INT32_MAX) return false;
        v.pair_start[j + 1] = (int32_t)pairs;
    }
    v.pair_tile.resize(pairs), v.pair_slot.resize(pairs), v.tile_list.resize(pairs);
    parallel_for(visible, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t j = begin; j < end; j++) {
            // Counting and listing are compiled apart. Should they ever round apart, no entry may miss or pass its place.
            int32_t at = v.pair_start[j], tile = 0;
            const int32_t end = v.pair_start[j + 1];
            for_tiles(v, v.projected[v.order[j]], [&](int touched) { if (at < end) v.pair_tile[at++] = tile = touched; });
            while (at < end) v.pair_tile[at++] = tile;
        }
    });
    v.tile_start.assign(tiles + 1, 0);
    for (int64_t e = 0; e < pairs; e++) v.tile_start[v.pair_tile[e] + 1]++;
    for (int64_t t = 0; t < tiles; t++) v.tile_start[t + 1] += v.tile_start[t];
    v.cursor.assign(v.tile_start.begin(), v.tile_start.end() - 1);
    for (int64_t j = 0; j < visible; j++)
        for (int32_t e = v.pair_start[j]; e < v.pair_start[j + 1]; e++) {
            const int32_t slot = v.cursor[v.pair_tile[e]]++;
            v.tile_list[slot] = v.order[j], v.pair_slot[e] = slot;
        }
    return true;
}

// ---------------------------------------------------------------------------------------------- order by rays
// A renderer that traces rays meets a Gaussian where it is densest along the ray, which for a wide slanted one lies far
// from its centre. So each pixel has an order of its own. A tile's list is sorted by the nearest that any of its rays meets a
// Gaussian: then a pixel is done when all that it met, which lets nothing through, lies nearer than what comes.
static inline float met_at(const RayMeeting& m, float dx, float dy) {
    const float met = m.depth * (1 + 0.5f * (m.bend.x * dx + m.bend.y * dy)) / std::max(1e-6f, m.bend.at(dx, dy));
    return std::isfinite(met) ? met : m.depth;
}

// False: out of memory.
static bool order_by_rays(View& v) {
    const int64_t tiles = (int64_t)v.tiles_x * v.tiles_y;
    v.list2.resize(v.tile_list.size()), v.moved.resize(v.tile_list.size()), v.nearest.resize(v.tile_list.size());
    std::atomic<bool> failed{false};
    parallel_for(tiles, 1, [&](int64_t first, int64_t last) {
        std::vector<std::pair<float, int32_t>> met;
        for (int64_t t = first; t < last; t++) {
            try {
                met.reserve(v.tile_start[t + 1] - v.tile_start[t]);
            } catch (const std::bad_alloc&) { failed = true; return; }  // must not leave a worker
            const float left = (float)(t % v.tiles_x * TILE), top = (float)(t / v.tiles_x * TILE);
            met.clear();
            for (int32_t e = v.tile_start[t]; e < v.tile_start[t + 1]; e++) {
                const Projected& p = v.projected[v.tile_list[e]];
                const RayMeeting& m = v.meetings[v.tile_list[e]];
                const float x0 = std::max(left, p.x - p.rx), x1 = std::min(left + TILE, p.x + p.rx);
                const float y0 = std::max(top, p.y - p.ry), y1 = std::min(top + TILE, p.y + p.ry);
                float nearest = met_at(m, p.x - clampf(p.x, left, left + TILE), p.y - clampf(p.y, top, top + TILE));
                for (int corner = 0; corner < 4; corner++)
                    nearest = std::min(nearest, met_at(m, p.x - (corner & 1 ? x1 : x0), p.y - (corner & 2 ? y1 : y0)));
                met.push_back({nearest, e});
            }
            std::sort(met.begin(), met.end());  // ties: by their place, which the centres gave
            for (size_t k = 0; k < met.size(); k++) {
                const int32_t slot = v.tile_start[t] + (int32_t)k;
                v.list2[slot] = v.tile_list[met[k].second], v.moved[met[k].second] = slot, v.nearest[slot] = met[k].first;
            }
        }
    });
    if (failed) return false;
    v.tile_list.swap(v.list2);
    parallel_for((int64_t)v.pair_slot.size(), 1 << 14, [&](int64_t begin, int64_t end) {
        for (int64_t e = begin; e < end; e++) v.pair_slot[e] = v.moved[v.pair_slot[e]];
    });
    return true;
}

// ---------------------------------------------------------------------------------------------- blending
struct TileArea {
    int x0, y0, rows;
    TileArea(const RasterArgs& a, const View& v, int64_t tile)
        : x0((int)(tile % v.tiles_x) * TILE), y0((int)(tile / v.tiles_x) * TILE), rows(std::min(TILE, a.height - y0)) {}
    void first_last_row(const Projected& p, int& first, int& last) const {
        first = whole(std::ceil(p.y - p.ry - y0 - 0.5f - 1e-3f), 0, rows);
        last = whole(std::floor(p.y + p.ry - y0 - 0.5f + 1e-3f), -1, rows - 1);
    }
    bool misses(const Projected& p, int block) const {
        const float left = (float)(x0 + block * VW);
        return p.x + p.rx < left + 0.49f || p.x - p.rx > left + VW - 0.49f;
    }
    void live_lanes(int width, vi live[TILE][BLOCKS]) const {
        for (int y = 0; y < TILE; y++)
            for (int k = 0; k < BLOCKS; k++)
                for (int i = 0; i < VW; i++) live[y][k][i] = x0 + k * VW + i < width && y < rows ? -1 : 0;
    }
};

template <int CH>
static void write_tile(const RasterArgs& args, View& v, const TileArea& area, const vf T[TILE][BLOCKS],
                       const vf acc[CH][TILE][BLOCKS], float* out, float* alpha) {
    for (int y = 0; y < area.rows; y++)
        for (int x = 0; x < TILE && area.x0 + x < args.width; x++) {
            const size_t px = (size_t)(area.y0 + y) * args.width + area.x0 + x;
            const float t = T[y][x / VW][x % VW];
            v.transmittance[px] = t, alpha[px] = 1 - t;
            for (int ch = 0; ch < CH; ch++) {
                const float value = acc[ch][y][x / VW][x % VW];
                v.blended[px * CH + ch] = value;
                out[px * CH + ch] = ch < 3 ? value + t * args.background[ch] : value;
            }
        }
}

template <int CH>
static void blend_tile(const RasterArgs& args, View& v, int64_t tile, float* out, float* alpha) {
    const TileArea area(args, v, tile);
    const vf lane = lane_centres(), zero = splat(0), max_alpha = splat(args.max_alpha);
    vf T[TILE][BLOCKS], acc[CH][TILE][BLOCKS];
    vi live[TILE][BLOCKS];
    area.live_lanes(args.width, live);
    for (int y = 0; y < TILE; y++)
        for (int k = 0; k < BLOCKS; k++) {
            T[y][k] = splat(1);
            for (int ch = 0; ch < CH; ch++) acc[ch][y][k] = zero;
        }
    const int32_t begin = v.tile_start[tile], end = v.tile_start[tile + 1];
    int32_t e = begin;
    for (; e < end; e++) {
        const Projected& p = v.projected[v.tile_list[e]];
        if (end - e > 4) __builtin_prefetch(&v.projected[v.tile_list[e + 4]]);
        int first, last;
        area.first_last_row(p, first, last);
        const vf limit = splat(p.limit), opacity = splat(p.opacity);
        bool stopped = false;
        for (int k = 0; k < BLOCKS; k++) {
            if (area.misses(p, k)) continue;
            const vf dx = splat(p.x - (area.x0 + k * VW)) - lane, qx = dx * dx * (0.5f * p.A), bx = dx * p.B;
            for (int y = first; y <= last; y++) {
                const float dy = p.y - (area.y0 + y + 0.5f);
                const vf sigma = qx + dy * (bx + splat(0.5f * p.C * dy));
                const vi hit = (sigma <= limit) & live[y][k];
                if (!any(hit)) continue;
                vf a = opacity * exp_neg(select(sigma > zero, sigma, zero));
                a = select(hit, select(a < max_alpha, a, max_alpha), zero);
                const vf t = T[y][k];
                vf next = t - t * a;
                const vi stop = (next <= args.min_transmittance) & hit;
                if (__builtin_expect(any(stop), 0)) {
                    live[y][k] &= ~stop;
                    a = select(stop, zero, a), next = select(stop, t, next), stopped = true;
                }
                const vf w = a * t;
                for (int ch = 0; ch < CH; ch++) acc[ch][y][k] += w * p.channel[ch];
                T[y][k] = next;
            }
        }
        if (stopped) {
            vi left = live[0][0];
            for (int y = 0; y < area.rows; y++)
                for (int k = 0; k < BLOCKS; k++) left |= live[y][k];
            if (!any(left)) { e++; break; }
        }
    }
    v.tile_used[tile] = e - begin;
    write_tile<CH>(args, v, area, T, acc, out, alpha);
}

// ---------------------------------------------------------------------------------------------- blending by rays
static inline vf load(const float* from) {
    vf v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

struct Met {  // what a Gaussian is to the pixels of a block
    int32_t entry, next;         // its place in the tile's list; the block's next
    int32_t y, k;                // the block
    float alpha[VW], depth[VW];  // alpha is 0 where it isn't met
};

// Sorts every lane of n vectors: Batcher's odd-even merges, which compare the same places whatever is in them.
static void sort_lanes(vi* keys, size_t n) {
    for (size_t p = 1; p < n; p *= 2)
        for (size_t k = p; k >= 1; k /= 2)
            for (size_t j = k % p; j + k < n; j += 2 * k) {
                if ((j ^ (j + k)) >= 2 * p) continue;  // of two merges
                for (size_t low = j, end = std::min(j + k, n - k); low < end; low++) {
                    const vi one = keys[low], other = keys[low + k];
                    keys[low] = one < other ? one : other, keys[low + k] = one < other ? other : one;
                }
            }
}

// All that the pixels of a tile meet; then each pixel's in its own order.
struct TracedTile {
    static constexpr int32_t NONE = 0x7fffffff;
    std::vector<Met> met;  // in the order of the tile's list
    int32_t first[TILE][BLOCKS];
    vf nearest[TILE][BLOCKS], farthest[TILE][BLOCKS];  // of all that was met
    // of the block that is looked at:
    std::vector<int32_t> block;   // of `met`
    std::unique_ptr<vi[]> keys;   // front to back for each pixel: depth, and its place in the block
    std::unique_ptr<vf[]> alphas;
    size_t room = 0;

    // Returns how much of the tile's list that took.
    int32_t collect(const RasterArgs& args, const View& v, const TileArea& area, int64_t tile, vi live[TILE][BLOCKS]) {
        const vf lane = lane_centres(), zero = splat(0), max_alpha = splat(args.max_alpha), least = splat(1e-6f);
        vf through[TILE][BLOCKS];  // what all met so far lets through
        int32_t latest[TILE][BLOCKS];
        for (int y = 0; y < TILE; y++)
            for (int k = 0; k < BLOCKS; k++) {
                through[y][k] = splat(1), nearest[y][k] = splat(1e30f), farthest[y][k] = zero;
                first[y][k] = latest[y][k] = -1;
            }
        met.clear();
        const int32_t begin = v.tile_start[tile], end = v.tile_start[tile + 1];
        for (int32_t e = begin; e < end; e++) {
            const Projected& p = v.projected[v.tile_list[e]];
            const RayMeeting& m = v.meetings[v.tile_list[e]];
            const Square &bend = m.bend, &ends = m.ends;
            int top, bottom;
            area.first_last_row(p, top, bottom);
            bool stopped = false;
            for (int k = 0; k < BLOCKS; k++) {
                if (area.misses(p, k)) continue;
                const vf dx = splat(p.x - (area.x0 + k * VW)) - lane, qx = dx * dx * (0.5f * p.A), bx = dx * p.B;
                const vf bend0 = splat(1) + dx * (splat(bend.x) + dx * bend.xx), bend1 = splat(bend.y) + dx * bend.xy;
                const vf ends0 = splat(ends.one) + dx * (splat(ends.x) + dx * ends.xx), ends1 = splat(ends.y) + dx * ends.xy;
                const vf depth0 = (splat(1) + dx * (0.5f * bend.x)) * m.depth;
                for (int y = top; y <= bottom; y++) {
                    const vi done = (through[y][k] <= args.min_transmittance) & (farthest[y][k] < v.nearest[e]) & live[y][k];
                    if (__builtin_expect(any(done), 0)) live[y][k] &= ~done, stopped = true;
                    const float dy = p.y - (area.y0 + y + 0.5f);
                    vf bent = bend0 + dy * (bend1 + splat(bend.yy * dy));
                    bent = splat(1) / select(bent > least, bent, least);
                    const vf sigma = (qx + dy * (bx + splat(0.5f * p.C * dy))) * bent;
                    vi hit = (sigma <= p.limit) & (ends0 + dy * (ends1 + splat(ends.yy * dy)) >= zero) & live[y][k];
                    if (!any(hit)) continue;
                    const vf depth = (depth0 + splat(0.5f * bend.y * dy * m.depth)) * bent;
                    hit &= depth > args.near_plane;
                    vf a = p.opacity * exp_neg(select(sigma > zero, sigma, zero));
                    a = select(hit, select(a < max_alpha, a, max_alpha), zero);
                    through[y][k] -= through[y][k] * a;
                    farthest[y][k] = select(hit & (depth > farthest[y][k]), depth, farthest[y][k]);
                    nearest[y][k] = select(hit & (depth < nearest[y][k]), depth, nearest[y][k]);
                    const int32_t here = (int32_t)met.size();
                    met.push_back({e - begin, -1, y, k, {}, {}});
                    std::memcpy(met.back().alpha, &a, sizeof a), std::memcpy(met.back().depth, &depth, sizeof depth);
                    (latest[y][k] < 0 ? first[y][k] : met[latest[y][k]].next) = here;
                    latest[y][k] = here;
                }
            }
            if (!stopped) continue;
            vi left = live[0][0];
            for (int y = 0; y < area.rows; y++)
                for (int k = 0; k < BLOCKS; k++) left |= live[y][k];
            if (!any(left)) return e + 1 - begin;
        }
        return end - begin;
    }

    // Moves the block's alphas out of `met`, and sorts its keys. Returns how many bits of a key are the place.
    int order(int y, int k) {
        block.clear();
        for (int32_t m = first[y][k]; m >= 0; m = met[m].next) block.push_back(m);
        const size_t n = block.size();
        if (n > room) {
            room = 0, keys.reset(), alphas.reset();
            keys.reset(new vi[n]), alphas.reset(new vf[n]), room = n;
        }
        int bits = 1;
        while ((n >> bits) > 0) bits++;
        const float steps = (float)((1u << std::min(24, 31 - bits)) - 2);
        const vf least = nearest[y][k], span = farthest[y][k] - least, zero = splat(0);
        const vf scale = select(span > splat(1e-30f), splat(steps) / span, zero);
        for (size_t j = 0; j < n; j++) {
            Met& m = met[block[j]];
            alphas[j] = load(m.alpha);
            const vi hit = alphas[j] > zero;
            vf share = (load(m.depth) - least) * scale;  // of an infinite depth no number
            share = select(hit & (share > zero), select(share < steps, share, splat(steps)), zero);
            const vi key = __builtin_convertvector(share, vi) << bits | (int32_t)j;
            keys[j] = hit ? key : vi{} + NONE;
            std::memcpy(m.alpha, &zero, sizeof zero), std::memcpy(m.depth, &zero, sizeof zero);
        }
        sort_lanes(keys.get(), n);
        return bits;
    }

    // Calls body(lanes, met, alpha, transmittance before) for what a block's pixels meet, front to back, as far as each sees.
    // Returns what they let through.
    template <class Body>
    vf front_to_back(const RasterArgs& args, int y, int k, const Body& body) {
        const int bits = order(y, k);
        vf T = splat(1);
        vi sees = vi{} - 1;
        for (size_t j = 0; j < block.size(); j++) {
            vi on = (keys[j] != NONE) & sees;
            if (!any(on)) break;
            const vi place = keys[j] & on & ((1 << bits) - 1);
            vf a;
            Met* at[VW];
            for (int i = 0; i < VW; i++) a[i] = alphas[place[i]][i], at[i] = &met[block[place[i]]];
            const vf after = T - T * a;
            const vi stop = (after <= args.min_transmittance) & on;
            sees &= ~stop, on &= ~stop;
            body(on, at, a, T);
            T = select(on, after, T);
        }
        return T;
    }

    // Puts weights in the place of alphas. Returns what the pixels let through.
    vf weigh(const RasterArgs& args, int y, int k) {
        return front_to_back(args, y, k, [](vi on, Met** at, vf a, vf t) {
            const vf w = a * t;
            for (int i = 0; i < VW; i++)
                if (on[i]) at[i]->alpha[i] = w[i];
        });
    }
};

// Buffers that are kept from tile to tile; each worker takes one.
struct Borrowed {
    View& view;
    std::unique_ptr<TracedTile> tile;
    explicit Borrowed(View& v) : view(v) {
        std::lock_guard<std::mutex> lock(view.mutex);
        if (view.spare.empty()) view.spare.push_back(std::make_unique<TracedTile>());
        tile = std::move(view.spare.back());
        view.spare.pop_back();
    }
    ~Borrowed() {
        std::lock_guard<std::mutex> lock(view.mutex);
        view.spare.push_back(std::move(tile));
    }
    TracedTile* operator->() { return tile.get(); }
};

template <int CH>
static void trace_tile(const RasterArgs& args, View& v, int64_t tile, float* out, float* alpha) {
    const TileArea area(args, v, tile);
    vf T[TILE][BLOCKS], acc[CH][TILE][BLOCKS];
    vi live[TILE][BLOCKS];
    area.live_lanes(args.width, live);
    std::memset(acc, 0, sizeof acc);
    Borrowed traced(v);
    v.tile_used[tile] = traced->collect(args, v, area, tile, live);
    for (int y = 0; y < TILE; y++)
        for (int k = 0; k < BLOCKS; k++)
            T[y][k] = traced->weigh(args, y, k);
    for (const Met& m : traced->met) {
        const Projected& p = v.projected[v.tile_list[v.tile_start[tile] + m.entry]];
        const vf w = load(m.alpha);
        for (int ch = 0; ch < CH; ch++) acc[ch][m.y][m.k] += w * p.channel[ch];
    }
    write_tile<CH>(args, v, area, T, acc, out, alpha);
}

// Blends a tile as blend_tile does, pixel by pixel, and tells `visit` of each Gaussian's weight in each pixel that lies in
// a region; `next` is called after each Gaussian.
struct RegionTile {
    int32_t local[TILE][TILE], names[TILE * TILE];  // which of the tile's regions, -1: none; their numbers
    int count = 0, columns;
    TileArea area;

    RegionTile(const RasterArgs& args, const View& v, int64_t tile, const int32_t* regions)
        : columns(0), area(args, v, tile) {
        columns = std::min(TILE, args.width - area.x0);
        for (int y = 0; y < area.rows; y++)
            for (int x = 0; x < columns; x++) {
                const int32_t region = regions ? regions[(size_t)(area.y0 + y) * args.width + area.x0 + x] : 0;
                int at = 0;
                while (at < count && names[at] != region) at++;
                if (region >= 0 && at == count) names[count++] = region;
                local[y][x] = region >= 0 ? at : -1;
            }
    }

    template <class Visit, class Next>
    void trace(const RasterArgs& args, const View& v, int64_t tile, const Visit& visit, const Next& next) const {
        vi live[TILE][BLOCKS];
        area.live_lanes(args.width, live);
        for (int y = 0; y < area.rows; y++)
            for (int x = 0; x < columns; x++)
                if (local[y][x] < 0) live[y][x / VW][x % VW] = 0;
        TracedTile traced;
        traced.collect(args, v, area, tile, live);
        for (int y = 0; y < TILE; y++)
            for (int k = 0; k < BLOCKS; k++) traced.weigh(args, y, k);
        for (size_t at = 0; at < traced.met.size(); at++) {
            const Met& m = traced.met[at];
            const uint32_t g = v.tile_list[v.tile_start[tile] + m.entry];
            for (int i = 0; i < VW; i++)
                if (m.alpha[i] > 0) visit(g, m.y, m.k * VW + i, m.alpha[i]);
            if (at + 1 == traced.met.size() || traced.met[at + 1].entry != m.entry) next(g);
        }
    }

    template <class Visit, class Next>
    void blend(const RasterArgs& args, const View& v, int64_t tile, const Visit& visit, const Next& next) const {
        if (args.traced) return trace(args, v, tile, visit, next);
        float T[TILE][TILE];
        for (int y = 0; y < area.rows; y++)
            for (int x = 0; x < columns; x++) T[y][x] = local[y][x] < 0 ? -1 : 1;  // negative: done
        const int32_t begin = v.tile_start[tile], end = begin + v.tile_used[tile];
        for (int32_t e = begin; e < end; e++) {
            const Projected& p = v.projected[v.tile_list[e]];
            int first, last;
            area.first_last_row(p, first, last);
            const int left = whole(std::ceil(p.x - p.rx - area.x0 - 0.5f - 1e-3f), 0, columns);
            const int right = whole(std::floor(p.x + p.rx - area.x0 - 0.5f + 1e-3f), -1, columns - 1);
            for (int y = first; y <= last; y++)
                for (int x = left; x <= right; x++) {
                    if (T[y][x] < 0) continue;
                    const float dx = p.x - (area.x0 + x + 0.5f), dy = p.y - (area.y0 + y + 0.5f);
                    const float sigma = 0.5f * (p.A * dx * dx + p.C * dy * dy) + p.B * dx * dy;
                    if (sigma > p.limit) continue;
                    const float a = std::min(p.opacity * std::exp(-std::max(sigma, 0.0f)), args.max_alpha);
                    const float after = T[y][x] * (1 - a);
                    if (after <= args.min_transmittance) { T[y][x] = -1; continue; }
                    visit(v.tile_list[e], y, x, a * T[y][x]);
                    T[y][x] = after;
                }
            next(v.tile_list[e]);
        }
    }
};

// How much of each region of the picture each Gaussian makes up: its blending weights summed over the region's pixels
// in this tile.
static void weigh_tile(const RasterArgs& args, View& v, int64_t tile, const int32_t* regions) {
    const RegionTile pixels(args, v, tile, regions);
    std::vector<RegionWeight>& found = v.region_weights[tile];
    found.clear();
    float sums[TILE * TILE] = {0};
    pixels.blend(args, v, tile, [&](uint32_t, int y, int x, float w) { sums[pixels.local[y][x]] += w; }, [&](uint32_t g) {
        for (int at = 0; at < pixels.count; at++) {
            if (sums[at] > 0) found.push_back({(int32_t)g, pixels.names[at], sums[at]});
            sums[at] = 0;
        }
    });
}

// The label that makes up most of each pixel, and how much of it; labels (N) are below K, negative: none.
static void label_tile(const RasterArgs& args, const View& v, int64_t tile, const int32_t* labels, int32_t K, int32_t* out,
                       float* share) {
    const RegionTile pixels(args, v, tile, nullptr);
    std::vector<int32_t> place(K, -1), names;
    for (int32_t e = v.tile_start[tile]; e < v.tile_start[tile] + v.tile_used[tile]; e++) {
        const int32_t label = labels[v.tile_list[e]];
        if (label >= 0 && place[label] < 0) place[label] = (int32_t)names.size(), names.push_back(label);
    }
    const size_t count = names.size();
    std::vector<float> sums(TILE * TILE * count, 0.0f);
    pixels.blend(args, v, tile, [&](uint32_t g, int y, int x, float w) {
        if (labels[g] >= 0) sums[(y * TILE + x) * count + place[labels[g]]] += w;
    }, [](uint32_t) {});
    for (int y = 0; y < pixels.area.rows; y++)
        for (int x = 0; x < pixels.columns; x++) {
            const auto begin = sums.begin() + (y * TILE + x) * count, best = std::max_element(begin, begin + count);
            const size_t px = (size_t)(pixels.area.y0 + y) * args.width + pixels.area.x0 + x;
            out[px] = count && *best > 0 ? names[best - begin] : -1, share[px] = count ? *best : 0;
        }
}

// A pair's row of sums: CH colour channels, then with g = alpha * d loss / d alpha (where alpha is not clamped)
// the moments g, g dx, g dy, g dx dx, g dx dy, g dy dy. They hold all that the Gaussian's gradients need.
template <int CH>
struct PairSums {
    static constexpr int ROW = CH + 6;
    vf channel[CH], s0, sx, sy, sxx, sxy, syy;
    PairSums() { std::memset(this, 0, sizeof *this); }
    void write(float* row) const {
        for (int ch = 0; ch < CH; ch++) row[ch] = sum(channel[ch]);
        row[CH] = sum(s0), row[CH + 1] = sum(sx), row[CH + 2] = sum(sy);
        row[CH + 3] = sum(sxx), row[CH + 4] = sum(sxy), row[CH + 5] = sum(syy);
    }
};

// What comes from above: the gradient by the colours, and by all that lies behind, which is all in the beginning.
template <int CH>
static void read_tile(const RasterArgs& args, const View& v, const TileArea& area, const float* v_out, const float* v_alpha,
                      vf grad[CH][TILE][BLOCKS], vf rest[TILE][BLOCKS]) {
    std::memset(rest, 0, sizeof(vf) * TILE * BLOCKS), std::memset(grad, 0, sizeof(vf) * CH * TILE * BLOCKS);
    for (int y = 0; y < area.rows; y++)
        for (int x = 0; x < TILE && area.x0 + x < args.width; x++) {
            const size_t px = (size_t)(area.y0 + y) * args.width + area.x0 + x;
            float behind = 0, through = v_alpha[px];
            for (int ch = 0; ch < CH; ch++) {
                const float g = v_out[px * CH + ch];
                grad[ch][y][x / VW][x % VW] = g;
                behind += v.blended[px * CH + ch] * g;
                if (ch < 3) through -= args.background[ch] * g;
            }
            rest[y][x / VW][x % VW] = behind - v.transmittance[px] * through;
        }
}

// Of those that no pixel of the tile came to.
template <int CH>
static void no_gradients(View& v, int64_t tile) {
    constexpr int ROW = PairSums<CH>::ROW;
    const int32_t end = v.tile_start[tile] + v.tile_used[tile];
    std::memset(&v.pair_grad[(size_t)end * ROW], 0, (size_t)(v.tile_start[tile + 1] - end) * ROW * sizeof(float));
}

template <int CH>
static void blend_tile_backward(const RasterArgs& args, View& v, int64_t tile, const float* v_out, const float* v_alpha) {
    const TileArea area(args, v, tile);
    const vf lane = lane_centres(), zero = splat(0), max_alpha = splat(args.max_alpha);
    vf T[TILE][BLOCKS], rest[TILE][BLOCKS], grad[CH][TILE][BLOCKS];
    vi live[TILE][BLOCKS];
    area.live_lanes(args.width, live);
    read_tile<CH>(args, v, area, v_out, v_alpha, grad, rest);
    for (int y = 0; y < TILE; y++)
        for (int k = 0; k < BLOCKS; k++) T[y][k] = splat(1);
    const int32_t begin = v.tile_start[tile], end = begin + v.tile_used[tile];
    for (int32_t e = begin; e < end; e++) {
        const Projected& p = v.projected[v.tile_list[e]];
        if (end - e > 4) __builtin_prefetch(&v.projected[v.tile_list[e + 4]]);
        int first, last;
        area.first_last_row(p, first, last);
        const vf limit = splat(p.limit), opacity = splat(p.opacity);
        PairSums<CH> sums;
        for (int k = 0; k < BLOCKS; k++) {
            if (area.misses(p, k)) continue;
            const vf dx = splat(p.x - (area.x0 + k * VW)) - lane, qx = dx * dx * (0.5f * p.A), bx = dx * p.B;
            vf m0 = zero, m1 = zero, m2 = zero;
            for (int y = first; y <= last; y++) {
                const float dy = p.y - (area.y0 + y + 0.5f);
                const vf sigma = qx + dy * (bx + splat(0.5f * p.C * dy));
                const vi hit = (sigma <= limit) & live[y][k];
                if (!any(hit)) continue;
                const vf raw = opacity * exp_neg(select(sigma > zero, sigma, zero));
                const vi free = raw < max_alpha;
                vf a = select(hit, select(free, raw, max_alpha), zero);
                const vf t = T[y][k];
                vf next = t - t * a;
                const vi stop = (next <= args.min_transmittance) & hit;
                if (__builtin_expect(any(stop), 0)) {
                    live[y][k] &= ~stop;
                    a = select(stop, zero, a), next = select(stop, t, next);
                }
                const vf w = a * t;
                vf dot = zero;
                for (int ch = 0; ch < CH; ch++) {
                    dot += grad[ch][y][k] * p.channel[ch];
                    sums.channel[ch] += w * grad[ch][y][k];
                }
                rest[y][k] -= w * dot;
                const vf g = select(free, a * (t * dot - rest[y][k] / (splat(1) - a)), zero);
                m0 += g, m1 += g * dy, m2 += g * (dy * dy);
                T[y][k] = next;
            }
            sums.s0 += m0, sums.sx += m0 * dx, sums.sy += m1;
            sums.sxx += m0 * dx * dx, sums.sxy += m1 * dx, sums.syy += m2;
        }
        sums.write(&v.pair_grad[(size_t)e * PairSums<CH>::ROW]);
    }
    no_gradients<CH>(v, tile);
}

// The same by rays. All moments but the first are of g / bend: the bend itself, which varies slowly, is taken for a constant.
template <int CH>
static void trace_tile_backward(const RasterArgs& args, View& v, int64_t tile, const float* v_out, const float* v_alpha) {
    const TileArea area(args, v, tile);
    const vf lane = lane_centres(), least = splat(1e-6f);
    const uint32_t* list = v.tile_list.data() + v.tile_start[tile];
    vf rest[TILE][BLOCKS], grad[CH][TILE][BLOCKS];
    vi live[TILE][BLOCKS];
    area.live_lanes(args.width, live);
    read_tile<CH>(args, v, area, v_out, v_alpha, grad, rest);
    Borrowed traced(v);
    traced->collect(args, v, area, tile, live);
    for (int y = 0; y < TILE; y++)
        for (int k = 0; k < BLOCKS; k++)  // leaves weights for alphas, and g for depths
            traced->front_to_back(args, y, k, [&](vi on, Met** at, vf a, vf t) {
                vf dot = splat(0);
                for (int i = 0; i < VW; i++)
                    for (int ch = 0; ch < CH; ch++) dot[i] += grad[ch][y][k][i] * v.projected[list[at[i]->entry]].channel[ch];
                const vf w = a * t;
                rest[y][k] -= select(on, w * dot, splat(0));
                const vf g = select(a < args.max_alpha, a * (t * dot - rest[y][k] / (splat(1) - a)), splat(0));
                for (int i = 0; i < VW; i++)
                    if (on[i]) at[i]->alpha[i] = w[i], at[i]->depth[i] = g[i];
            });
    size_t at = 0;
    for (int32_t e = 0; e < v.tile_used[tile]; e++) {
        const Projected& p = v.projected[list[e]];
        const Square& bend = v.meetings[list[e]].bend;
        PairSums<CH> sums;
        for (; at < traced->met.size() && traced->met[at].entry == e; at++) {
            const Met& m = traced->met[at];
            const vf dx = splat(p.x - (area.x0 + m.k * VW)) - lane, w = load(m.alpha), g = load(m.depth);
            const float dy = p.y - (area.y0 + m.y + 0.5f);
            const vf bent = splat(1) + dx * (splat(bend.x) + dx * bend.xx + splat(bend.xy * dy)) +
                            splat(dy * (bend.y + bend.yy * dy));
            const vf straight = g / select(bent > least, bent, least);
            for (int ch = 0; ch < CH; ch++) sums.channel[ch] += w * grad[ch][m.y][m.k];
            sums.s0 += g, sums.sx += straight * dx, sums.sy += straight * dy;
            sums.sxx += straight * dx * dx, sums.sxy += straight * dx * dy, sums.syy += straight * (dy * dy);
        }
        sums.write(&v.pair_grad[(size_t)(v.tile_start[tile] + e) * PairSums<CH>::ROW]);
    }
    no_gradients<CH>(v, tile);
}

// ---------------------------------------------------------------------------------------------- chain rule
struct Grads { float *means, *quats, *scales, *opacities, *colors, *means2d; };

static void colour_backward(const RasterArgs& args, const Camera& c, int64_t i, const Projected& p, const float* v_rgb,
                            const Grads& out, float* v_mean, double* v_view) {
    if (args.sh_degree < 0) {
        std::memcpy(out.colors + 3 * i, v_rgb, 3 * sizeof(float));
        return;
    }
    const int used = sh_count(args.sh_degree);
    const float* m = args.means + 3 * i;
    const float* sh = args.colors + i * args.sh_coeffs * 3;
    float* v_sh = out.colors + i * args.sh_coeffs * 3;
    float dir[3], basis[16], v_basis[16], v_used[3];
    const float inv = view_direction(c, m, dir);
    sh_basis(args.sh_degree, dir[0], dir[1], dir[2], basis);
    for (int j = 0; j < 3; j++) v_used[j] = p.channel[j] > 0 ? v_rgb[j] : 0;
    for (int k = 0; k < used; k++) {
        v_basis[k] = 0;
        for (int j = 0; j < 3; j++) {
            v_sh[3 * k + j] = basis[k] * v_used[j];
            v_basis[k] += sh[3 * k + j] * v_used[j];
        }
    }
    std::memset(v_sh + 3 * used, 0, (size_t)(args.sh_coeffs - used) * 3 * sizeof(float));
    if (args.sh_degree == 0) return;
    float v_dir[3] = {0, 0, 0};
    sh_basis_grad(args.sh_degree, dir[0], dir[1], dir[2], v_basis, v_dir);
    const float along = v_dir[0] * dir[0] + v_dir[1] * dir[1] + v_dir[2] * dir[2];
    const float* V = c.V;
    for (int d = 0; d < 3; d++) {
        const float g = (v_dir[d] - along * dir[d]) * inv;  // d loss / d (mean - camera position)
        v_mean[d] += g;
        for (int r = 0; r < 3; r++) {  // camera position = -R^T t
            v_view[4 * r + d] += g * V[4 * r + 3];
            v_view[4 * r + 3] += g * V[4 * r + d];
        }
    }
}

static void gaussian_backward(const RasterArgs& args, const Camera& c, int64_t i, const Projected& p, int channels,
                              const float* row, const Grads& out, double* v_view) {
    const float* m = args.means + 3 * i;
    const float* s = args.scales + 3 * i;
    const float* moment = row + channels;
    const float* V = c.V;
    Ewa e;
    ewa(c, m, args.quats + 4 * i, s, e);
    // sigma = A dx^2 / 2 + C dy^2 / 2 + B dx dy, and d alpha / d sigma = -alpha
    const float v_x = -(p.A * moment[1] + p.B * moment[2]), v_y = -(p.B * moment[1] + p.C * moment[2]);
    out.means2d[2 * i] = v_x, out.means2d[2 * i + 1] = v_y;
    const float vA = -0.5f * moment[3], vB = -0.5f * moment[4], vC = -0.5f * moment[5];  // vB: one of the two equal entries
    // conic = covariance^-1, so d covariance = -conic * d conic * conic
    const float m00 = p.A * vA + p.B * vB, m01 = p.A * vB + p.B * vC, m10 = p.B * vA + p.C * vB, m11 = p.B * vB + p.C * vC;
    float va = -(m00 * p.A + m01 * p.B), vb = -(m00 * p.B + m01 * p.C), vd = -(m10 * p.B + m11 * p.C);
    float v_opacity = moment[0] / p.opacity;  // by the compensated opacity
    if (args.antialiased) {
        const float a1 = e.a + args.eps2d, d1 = e.d + args.eps2d, det1 = a1 * d1 - e.b * e.b;
        const float ratio = std::max(0.f, (e.a * e.d - e.b * e.b) / det1), comp = std::sqrt(ratio);
        const float v_ratio = comp > 0 ? v_opacity * args.opacities[i] / (2 * comp) : 0;
        va += v_ratio * (e.d - ratio * d1) / det1;
        vd += v_ratio * (e.a - ratio * a1) / det1;
        vb -= v_ratio * e.b * (1 - ratio) / det1;
        v_opacity *= comp;
    }
    out.opacities[i] = v_opacity;
    float v_t0[3] = {0, 0, 0}, v_t1[3] = {0, 0, 0}, v_R[9];
    for (int k = 0; k < 3; k++) {
        const float us = e.u[k] * s[k], vs = e.v[k] * s[k];
        const float v_us = 2 * (va * us + vb * vs), v_vs = 2 * (vb * us + vd * vs);
        out.scales[3 * i + k] = v_us * e.u[k] + v_vs * e.v[k];
        const float v_u = v_us * s[k], v_v = v_vs * s[k];
        for (int d = 0; d < 3; d++) {
            v_t0[d] += v_u * e.R[3 * d + k], v_t1[d] += v_v * e.R[3 * d + k];
            v_R[3 * d + k] = v_u * e.t0[d] + v_v * e.t1[d];
        }
    }
    rotation_to_quat_grad(e.unit, v_R, e.inv_norm, out.quats + 4 * i);
    float v_j00 = 0, v_j02 = 0, v_j11 = 0, v_j12 = 0;
    for (int d = 0; d < 3; d++) {
        v_j00 += v_t0[d] * V[d], v_j02 += v_t0[d] * V[8 + d];
        v_j11 += v_t1[d] * V[4 + d], v_j12 += v_t1[d] * V[8 + d];
    }
    const float iz = e.inv_z, iz2 = iz * iz;
    float vX = v_x * c.fx * iz, vY = v_y * c.fy * iz;
    float vZ = -(vX * e.ux + vY * e.uy) - (v_j00 * c.fx + v_j11 * c.fy) * iz2;
    vZ += (c.fx * e.cux * v_j02 + c.fy * e.cuy * v_j12) * iz2;
    if (e.ux == e.cux) vX -= c.fx * iz2 * v_j02, vZ += c.fx * e.ux * iz2 * v_j02;
    if (e.uy == e.cuy) vY -= c.fy * iz2 * v_j12, vZ += c.fy * e.uy * iz2 * v_j12;
    if (channels == 4) vZ += row[3];
    float v_mean[3];
    for (int d = 0; d < 3; d++) {
        v_mean[d] = V[d] * vX + V[4 + d] * vY + V[8 + d] * vZ;
        v_view[d] += vX * m[d] + e.j00 * v_t0[d];
        v_view[4 + d] += vY * m[d] + e.j11 * v_t1[d];
        v_view[8 + d] += vZ * m[d] + e.j02 * v_t0[d] + e.j12 * v_t1[d];
    }
    v_view[3] += vX, v_view[7] += vY, v_view[11] += vZ;
    colour_backward(args, c, i, p, row, out, v_mean, v_view);
    std::memcpy(out.means + 3 * i, v_mean, sizeof v_mean);
}

// ---------------------------------------------------------------------------------------------- C functions
template <class Body>
static void with_pool(const Body& body) {
    std::lock_guard<std::mutex> lock(g_pool_mutex);
    if (!g_pool) g_pool = new Pool((int)std::max(1u, std::thread::hardware_concurrency()));
    body();
}

API int32_t splat_abi() { return 5; }

// 0: what this file was built for at least; 2: AVX2 + FMA; 3: AVX-512 too. Only the baseline library is asked.
// Asked of the processor itself: the compiler's __builtin_cpu_supports says no to everything in zig's runtime.
API int32_t splat_cpu_level() {
#if defined(__x86_64__)
    unsigned a, b, c, d, xcr0, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA)) return 0;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));  // which registers the system saves
    if ((xcr0 & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2)) return 0;
    const unsigned wide = bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ;
    return (xcr0 & 0xe6) == 0xe6 && (b & wide) == wide ? 3 : 2;
#else
    return 0;
#endif
}

API void splat_set_threads(int32_t count) {
    std::lock_guard<std::mutex> lock(g_pool_mutex);
    count = std::max(1, std::min(256, count));
    if (g_pool && g_pool->wanted() == count) return;
    delete g_pool;
    g_pool = nullptr;
    try {
        g_pool = new Pool(count);
    } catch (const std::bad_alloc&) {}  // with_pool tries again, and its caller tells of it
}

API void* splat_view_new() { return new (std::nothrow) View(); }
API void splat_view_free(void* view) { delete (View*)view; }

// out (H, W, 3 + with_depth), alpha (H, W), means2d (N, 2), radii (N, 2), depths (N). Returns 0; 1: too many
// pairs of Gaussians and tiles; 2: out of memory.
API int32_t splat_forward(void* view, const RasterArgs* args, float* out, float* alpha, float* means2d, int32_t* radii,
                          float* depths) {
    View& v = *(View*)view;
    int32_t status = 0;
    try {
        with_pool([&] {
            const Camera camera = make_camera(*args);
            v.tiles_x = (args->width + TILE - 1) / TILE, v.tiles_y = (args->height + TILE - 1) / TILE;
            const int64_t tiles = (int64_t)v.tiles_x * v.tiles_y, pixels = (int64_t)args->width * args->height;
            const int channels = 3 + args->with_depth;
            project_all(*args, camera, v);
            sort_by_depth(args->count, v);
            if (!list_per_tile(v)) { status = 1; return; }
            if (args->traced && !order_by_rays(v)) { status = 2; return; }
            v.tile_used.resize(tiles), v.transmittance.resize(pixels), v.blended.resize(pixels * channels);
            const auto blend = args->traced ? (channels == 4 ? trace_tile<4> : trace_tile<3>)
                                            : (channels == 4 ? blend_tile<4> : blend_tile<3>);
            std::atomic<bool> failed{false};
            parallel_for(tiles, 1, [&](int64_t begin, int64_t end) {
                try {
                    for (int64_t t = begin; t < end; t++) blend(*args, v, t, out, alpha);
                } catch (const std::bad_alloc&) { failed = true; }  // must not leave a worker
            });
            if (failed) { status = 2; return; }
            for (int64_t i = 0; i < args->count; i++) {
                const bool seen = v.tile_count[i] > 0;
                const Projected& p = v.projected[i];
                means2d[2 * i] = seen ? p.x : 0, means2d[2 * i + 1] = seen ? p.y : 0, depths[i] = seen ? v.depth[i] : 0;
                radii[2 * i] = seen ? (int32_t)std::min(1e9f, std::ceil(p.rx)) : 0;
                radii[2 * i + 1] = seen ? (int32_t)std::min(1e9f, std::ceil(p.ry)) : 0;
            }
        });
    } catch (const std::bad_alloc&) { status = 2; }
    return status;
}

// Gradients of a loss from v_out (H, W, 3 + with_depth) and v_alpha (H, W); every output is written whole.
// v_viewmat (4, 4).
API int32_t splat_backward(void* view, const RasterArgs* args, const float* v_out, const float* v_alpha, float* v_means,
                           float* v_quats, float* v_scales, float* v_opacities, float* v_colors, float* v_means2d,
                           float* v_viewmat) {
    View& v = *(View*)view;
    const Grads grads{v_means, v_quats, v_scales, v_opacities, v_colors, v_means2d};
    const int channels = 3 + args->with_depth, row_size = channels + 6;
    const int64_t n = args->count, colour_size = args->sh_degree < 0 ? 3 : 3 * (int64_t)args->sh_coeffs;
    int32_t status = 0;
    try {
        with_pool([&] {
            const Camera camera = make_camera(*args);
            v.pair_grad.resize(v.tile_list.size() * row_size + 1);
            const auto blend = args->traced ? (channels == 4 ? trace_tile_backward<4> : trace_tile_backward<3>)
                                            : (channels == 4 ? blend_tile_backward<4> : blend_tile_backward<3>);
            std::atomic<bool> failed{false};
            parallel_for((int64_t)v.tiles_x * v.tiles_y, 1, [&](int64_t begin, int64_t end) {
                try {
                    for (int64_t t = begin; t < end; t++) blend(*args, v, t, v_out, v_alpha);
                } catch (const std::bad_alloc&) { failed = true; }
            });
            if (failed) { status = 2; return; }
            constexpr int64_t GRAIN = 1024;
            std::vector<double> view_parts((size_t)((n + GRAIN - 1) / GRAIN) * 12, 0.0);
            parallel_for(n, GRAIN, [&](int64_t begin, int64_t end) {
                double* v_view = &view_parts[begin / GRAIN * 12];
                for (int64_t i = begin; i < end; i++) {
                    const int32_t j = v.rank[i];
                    if (j < 0) {
                        std::memset(v_means + 3 * i, 0, 12), std::memset(v_quats + 4 * i, 0, 16);
                        std::memset(v_scales + 3 * i, 0, 12), std::memset(v_means2d + 2 * i, 0, 8);
                        std::memset(v_colors + colour_size * i, 0, (size_t)colour_size * 4), v_opacities[i] = 0;
                        continue;
                    }
                    float row[10] = {0};
                    for (int32_t e = v.pair_start[j]; e < v.pair_start[j + 1]; e++) {
                        const float* part = &v.pair_grad[(size_t)v.pair_slot[e] * row_size];
                        for (int k = 0; k < row_size; k++) row[k] += part[k];
                    }
                    gaussian_backward(*args, camera, i, v.projected[i], channels, row, grads, v_view);
                }
            });
            for (int k = 0; k < 16; k++) v_viewmat[k] = 0;
            for (int k = 0; k < 12; k++) {
                double total = 0;
                for (size_t block = 0; block < view_parts.size() / 12; block++) total += view_parts[block * 12 + k];
                v_viewmat[k] = (float)total;
            }
        });
    } catch (const std::bad_alloc&) { status = 2; }
    return status;
}

// Of the picture that `view` last held (splat_forward): the weight of every Gaussian in every region, a record a tile.
// regions (H, W), negative: none. `out` is null, or as long as the count that a first call returned; -2: out of memory.
API int64_t splat_region_weights(void* view, const RasterArgs* args, const int32_t* regions, RegionWeight* out) {
    View& v = *(View*)view;
    int64_t total = 0;
    std::atomic<bool> failed{false};
    try {
        if (!out) with_pool([&] {
            const int64_t tiles = (int64_t)v.tiles_x * v.tiles_y;
            v.region_weights.resize(tiles);
            parallel_for(tiles, 1, [&](int64_t begin, int64_t end) {
                try {
                    for (int64_t t = begin; t < end; t++) weigh_tile(*args, v, t, regions);
                } catch (const std::bad_alloc&) { failed = true; }  // must not leave a worker
            });
        });
    } catch (const std::bad_alloc&) { failed = true; }
    if (failed) return -2;
    for (std::vector<RegionWeight>& tile : v.region_weights) {
        if (out) std::copy(tile.begin(), tile.end(), out + total);
        total += (int64_t)tile.size();
        if (out) std::vector<RegionWeight>().swap(tile);
    }
    return total;
}

// Of the picture that `view` last held: the label that makes up most of each pixel, -1 where there is none, and its
// share; out and share (H, W), labels (N) below K.
API int32_t splat_label_map(void* view, const RasterArgs* args, const int32_t* labels, int32_t K, int32_t* out, float* share) {
    View& v = *(View*)view;
    std::atomic<bool> failed{false};
    try {
        with_pool([&] {
            parallel_for((int64_t)v.tiles_x * v.tiles_y, 1, [&](int64_t begin, int64_t end) {
                try {
                    for (int64_t t = begin; t < end; t++) label_tile(*args, v, t, labels, K, out, share);
                } catch (const std::bad_alloc&) { failed = true; }
            });
        });
    } catch (const std::bad_alloc&) { failed = true; }
    return failed ? 2 : 0;
}

// ---------------------------------------------------------------------------------------------- image loss
constexpr int WINDOW = 5;  // half width of SSIM's Gaussian window (11 pixels, sigma 1.5, zero padding)

struct SsimBuffers { std::vector<float> plane[9]; };

// Separable blur of an interleaved (H, W, 3) picture.
static void blur(const float* in, float* out, float* scratch, int width, int height, const float* weights) {
    const int row = width * 3;
    parallel_for(height, 16, [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; y++) {
            const float* s = in + y * row;
            float* d = scratch + y * row;
            for (int i = 0; i < row; i++) d[i] = s[i] * weights[0];
            for (int k = 1; k <= WINDOW; k++) {
                const int shift = 3 * k;
                if (shift >= row) break;
                const float w = weights[k];
                for (int i = shift; i < row; i++) d[i] += w * s[i - shift];
                for (int i = 0; i < row - shift; i++) d[i] += w * s[i + shift];
            }
        }
    });
    parallel_for(height, 16, [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; y++) {
            float* d = out + y * row;
            const float* s = scratch + y * row;
            for (int i = 0; i < row; i++) d[i] = s[i] * weights[0];
            for (int k = 1; k <= WINDOW; k++) {
                const float w = weights[k];
                if (y - k >= 0)
                    for (int i = 0; i < row; i++) d[i] += w * s[i - (int64_t)k * row];
                if (y + k < height)
                    for (int i = 0; i < row; i++) d[i] += w * s[i + (int64_t)k * row];
            }
        }
    });
}

API void* splat_ssim_new() { return new (std::nothrow) SsimBuffers(); }
API void splat_ssim_free(void* buffers) { delete (SsimBuffers*)buffers; }

// (1 - lambda) * mean |image - target| + lambda * (1 - SSIM), Kerbl et al. 2023 eq. 7, and its gradient by `image`.
// parts: mean absolute error, mean SSIM.
API int32_t splat_l1_dssim(void* buffers, const float* image, const float* target, int32_t width, int32_t height,
                           float lambda, float* v_image, double* parts) {
    SsimBuffers& buf = *(SsimBuffers*)buffers;
    const int64_t n = (int64_t)width * height * 3, grain = 1 << 14;
    int32_t status = 0;
    try {
        with_pool([&] {
            for (auto& plane : buf.plane) plane.resize(n);
            float *mu_x = buf.plane[0].data(), *mu_y = buf.plane[1].data(), *xx = buf.plane[2].data();
            float *yy = buf.plane[3].data(), *xy = buf.plane[4].data(), *scratch = buf.plane[5].data();
            float *p = buf.plane[6].data(), *q = buf.plane[7].data(), *r = buf.plane[8].data();
            float weights[WINDOW + 1], total = 0;
            for (int k = 0; k <= WINDOW; k++) weights[k] = std::exp(-k * k / (2 * 1.5f * 1.5f)), total += k ? 2 * weights[k] : 1;
            for (float& w : weights) w /= total;
            const auto smooth = [&](const float* in, float* out) { blur(in, out, scratch, width, height, weights); };
            parallel_for(n, grain, [&](int64_t a, int64_t b) {
                for (int64_t i = a; i < b; i++) p[i] = image[i] * image[i], q[i] = target[i] * target[i], r[i] = image[i] * target[i];
            });
            smooth(image, mu_x), smooth(target, mu_y), smooth(p, xx), smooth(q, yy), smooth(r, xy);
            std::vector<double> ssim_parts((n + grain - 1) / grain), l1_parts((n + grain - 1) / grain);
            parallel_for(n, grain, [&](int64_t a, int64_t b) {
                const float c1 = 1e-4f, c2 = 9e-4f;  // (0.01)^2, (0.03)^2 for pictures in 0..1
                double ssim = 0, l1 = 0;
                for (int64_t i = a; i < b; i++) {
                    const float mx = mu_x[i], my = mu_y[i], vx = xx[i] - mx * mx, vy = yy[i] - my * my, cov = xy[i] - mx * my;
                    const float a1 = 2 * mx * my + c1, a2 = 2 * cov + c2, b1 = mx * mx + my * my + c1, b2 = vx + vy + c2;
                    const float inv = 1.f / (b1 * b2), s = a1 * a2 * inv;
                    ssim += s, l1 += std::fabs(image[i] - target[i]);
                    const float d_cov = 2 * a1 * inv, d_var = -s / b2;
                    p[i] = 2 * my * a2 * inv - 2 * mx * s / b1 - 2 * mx * d_var - my * d_cov;  // by the local mean of x
                    q[i] = d_var, r[i] = d_cov;                                               // by E[x^2], E[x y]
                }
                ssim_parts[a / grain] = ssim, l1_parts[a / grain] = l1;
            });
            smooth(p, mu_x), smooth(q, xx), smooth(r, xy);
            const float k_ssim = -lambda / n, k_l1 = (1 - lambda) / n;
            parallel_for(n, grain, [&](int64_t a, int64_t b) {
                for (int64_t i = a; i < b; i++) {
                    const float diff = image[i] - target[i], sign = diff > 0 ? 1.f : (diff < 0 ? -1.f : 0.f);
                    v_image[i] = k_ssim * (mu_x[i] + 2 * image[i] * xx[i] + target[i] * xy[i]) + k_l1 * sign;
                }
            });
            parts[0] = parts[1] = 0;
            for (double x : l1_parts) parts[0] += x / n;
            for (double x : ssim_parts) parts[1] += x / n;
        });
    } catch (const std::bad_alloc&) { status = 2; }
    return status;
}
