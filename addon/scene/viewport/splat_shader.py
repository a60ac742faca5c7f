"""The shaders of the splat overlay and the textures that feed them."""

import functools

import gpu
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ....backend.geometry.sh_rotation import sh_basis

DATA_WIDTH = 4095  # texels a row: a multiple of 3, so that a splat's texels stay in one row

VERTEX = """
void main() {
    int id = int(texelFetch(order, ivec2(gl_InstanceID % WIDTH, gl_InstanceID / WIDTH), 0).r);
    ivec2 at = ivec2((id * 3) % WIDTH, (id * 3) / WIDTH);
    vec4 a = texelFetch(data, at, 0);
    vec4 b = texelFetch(data, at + ivec2(1, 0), 0), c = texelFetch(data, at + ivec2(2, 0), 0);
    vec4 eye = model_view * vec4(a.xyz, 1.0);
    vec4 clip = projection * eye;
    // its alpha: 0 where the splat is hidden
    vec4 own = texelFetch(colors, ivec2(id % WIDTH, id / WIDTH), 0);
    a.w *= own.a;
    color = vec4(own.rgb, a.w);
    vec2 focal = vec2(projection[0][0], projection[1][1]) * 0.5 * screen;
    float perspective = projection[3][3] == 0.0 ? 1.0 : 0.0;
    float z = perspective > 0.0 ? -eye.z : 1.0;
    vec2 slope = clamp(eye.xy / z, -camera.size.zw, camera.size.zw);
    mat3 J = mat3(focal.x / z, 0, 0, 0, focal.y / z, 0,
                  perspective * focal.x * slope.x / z, perspective * focal.y * slope.y / z, 0);
    mat3 S = mat3(b.x, b.y, b.z, b.y, b.w, c.x, b.z, c.x, c.y);
    mat3 T = J * mat3(model_view);
    mat3 cov = T * S * transpose(T);
    float A = cov[0][0] + 0.3, B = cov[1][0], D = cov[1][1] + 0.3;
    float mid = 0.5 * (A + D), spread = sqrt(max(1e-6, 0.25 * (A - D) * (A - D) + B * B));
    vec2 straight = A >= D ? vec2(1, 0) : vec2(0, 1);
    vec2 long_axis = abs(B) < 1e-6 ? straight : normalize(vec2(B, mid + spread - A));
    float reach = sqrt(2.0 * log(max(1.0, 255.0 * a.w)));
    offset = corner * reach;
    vec2 pixels = long_axis * offset.x * sqrt(mid + spread)
        + vec2(-long_axis.y, long_axis.x) * offset.y * sqrt(max(0.01, mid - spread));
    bool seen = clip.w > 0.0 && (perspective == 0.0 || -eye.z > 0.01) && a.w > 1.0 / 255.0;
    vec4 placed = clip + vec4(pixels / screen * 2.0 * clip.w, 0.0, 0.0);
    gl_Position = seen ? placed : vec4(2.0, 2.0, 2.0, 1.0);
}"""
FRAGMENT = """
void main() {
    float alpha = min(0.999, color.a * exp(-0.5 * dot(offset, offset)));
    float depth = texelFetch(scene_depth, ivec2(gl_FragCoord.xy), 0).r;
    if (alpha < 1.0 / 255.0 || gl_FragCoord.z > depth) discard;
    fragment = vec4(color.rgb * alpha, alpha);
}"""
OVER_VERTEX = "void main() { uv = corner * 0.5 + 0.5; gl_Position = vec4(corner, 0.0, 1.0); }"
OVER_FRAGMENT = """
void main() {
    vec4 c = texture(splats, uv);
    vec3 s = clamp(c.rgb / max(c.a, 1e-5), 0.0, 1.0);
    vec3 curved = mix(s / 12.92, pow((s + 0.055) / 1.055, vec3(2.4)), step(0.04045, s));
    fragment = vec4(mix(curved, s, is_linear) * c.a, c.a);
}"""


def make_texture(values: NDArray[np.float32], channels: int) -> gpu.types.GPUTexture:
    """Values in rows of DATA_WIDTH texels of 1 or 4 channels."""
    texels = -(-values.size // channels)
    height = max(1, -(-texels // DATA_WIDTH))
    padded = np.zeros(DATA_WIDTH * height * channels, np.float32)
    padded[: values.size] = values.ravel()
    buffer = gpu.types.Buffer("FLOAT", padded.size, padded)
    return gpu.types.GPUTexture(
        (DATA_WIDTH, height), format="RGBA32F" if channels == 4 else "R32F", data=buffer
    )


@functools.cache
def _splat_shader() -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.define("WIDTH", str(DATA_WIDTH))
    info.push_constant("MAT4", "model_view")
    info.typedef_source("struct SplatCamera { mat4 matrix; vec4 size; };")
    info.uniform_buf(0, "SplatCamera", "camera")
    info.define("projection", "camera.matrix")
    info.define("screen", "camera.size.xy")
    for slot, name in enumerate(("data", "colors", "order", "scene_depth")):
        info.sampler(slot, "FLOAT_2D", name)
    info.vertex_in(0, "VEC2", "corner")
    between = gpu.types.GPUStageInterfaceInfo("splat_interface")
    between.smooth("VEC2", "offset")
    between.flat("VEC4", "color")
    info.vertex_out(between)
    info.fragment_out(0, "VEC4", "fragment")
    info.vertex_source(VERTEX)
    info.fragment_source(FRAGMENT)
    return gpu.shader.create_from_info(info)


@functools.cache
def _over_shader() -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.sampler(0, "FLOAT_2D", "splats")
    info.push_constant("FLOAT", "is_linear")
    info.vertex_in(0, "VEC2", "corner")
    between = gpu.types.GPUStageInterfaceInfo("splat_over_interface")
    between.smooth("VEC2", "uv")
    info.vertex_out(between)
    info.fragment_out(0, "VEC4", "fragment")
    info.vertex_source(OVER_VERTEX)
    info.fragment_source(OVER_FRAGMENT)
    return gpu.shader.create_from_info(info)


@functools.cache
def _quad() -> gpu.types.GPUBatch:
    layout = gpu.types.GPUVertFormat()
    layout.attr_add(id="corner", comp_type="F32", len=2, fetch_mode="FLOAT")
    corners = gpu.types.GPUVertBuf(layout, 4)
    corners.attr_fill("corner", np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32))
    return gpu.types.GPUBatch(type="TRI_STRIP", buf=corners)


def _camera_block(
    projection: Matrix, size: tuple[int, int], field: tuple[float, float] | None
) -> gpu.types.GPUUniformBuf:
    """The matrix by columns, the screen's size and the steepest slopes; two matrices would not fit
    into push constants.

    The rasteriser holds the slopes at 1.3 times the border of the picture. A viewport shows more
    than the footage did: there the footage's own border (`field`: tangents of half its angles) is
    the one that the splats were trained with.
    """
    values = np.zeros(20, np.float32)
    values[:16], values[16:18] = np.array(projection, np.float32).T.ravel(), size
    values[18:20] = 1.3 / projection[0][0], 1.3 / projection[1][1]
    if field is not None:
        values[18:20] = np.minimum(values[18:20], 1.3 * np.array(field, np.float32))
    return gpu.types.GPUUniformBuf(gpu.types.Buffer("FLOAT", 20, values))


def draw(
    count: int,
    textures: tuple[gpu.types.GPUTexture, ...],
    model_view: Matrix,
    projection: Matrix,
    size: tuple[int, int],
    field: tuple[float, float] | None,
) -> None:
    """Draws `count` splats from the textures data, colors, order, scene depth; blends
    premultiplied, far to near.
    """
    shader = _splat_shader()
    gpu.state.blend_set("ALPHA_PREMULT")
    gpu.state.depth_test_set("NONE")
    gpu.state.depth_mask_set(False)
    block = _camera_block(
        projection, size, field
    )  # must outlive the draw call: Blender does not hold it
    shader.bind()
    shader.uniform_float("model_view", model_view)
    shader.uniform_block("camera", block)
    for name, texture in zip(("data", "colors", "order", "scene_depth"), textures, strict=True):
        shader.uniform_sampler(name, texture)
    _quad().draw_instanced(shader, instance_start=0, instance_count=count)
    gpu.state.blend_set("NONE")
    del block


def lay_over(image: gpu.types.GPUTexture, linear: bool) -> None:
    """A premultiplied picture, sRGB or linear, over the bound framebuffer, which is linear."""
    shader = _over_shader()
    gpu.state.blend_set("ALPHA_PREMULT")
    gpu.state.depth_test_set("NONE")
    shader.bind()
    shader.uniform_float("is_linear", 1.0 if linear else 0.0)
    shader.uniform_sampler("splats", image)
    _quad().draw(shader)
    gpu.state.blend_set("NONE")


def evaluate_sh(sh: NDArray[np.float32], offsets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (N, 3) of coefficients (N, K, 3) along the offsets (N, 3) from the eye; the signs are
    3DGS's own.
    """
    directions = offsets / np.maximum(np.linalg.norm(offsets, axis=1, keepdims=True), 1e-12)
    basis = sh_basis(int(sh.shape[1] ** 0.5) - 1, directions)
    colors = np.einsum("nk,nkc->nc", basis.astype(np.float32), sh, optimize=True)
    return np.asarray(colors + 0.5)
