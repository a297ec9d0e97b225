// Compares xc2 with llama.cpp on the same decoder shapes, layers, tokens and threads, by turns in one run. llama.cpp comes twice: in the npm package
// node-llama-cpp (its newest instructions) and in LLamaSharp (what a C# program would use instead).
//   node compare.mjs [--preset vl-1_8b|vl-7b] [--layers 4] [--weights bf16,int8,int4] [--threads 2] [--prefill 512] [--decode 64] [--rounds 5] [--json FILE]
// Downloads to artifacts/peers/llama.cpp (720 MB from the npm registry) and creates model files of random weights. Needs the .NET SDK, node, npm, python3
// with numpy and sentencepiece, and the tokenizer.model of InternLM2 (--tokenizer FILE).
import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, writeFileSync} from "node:fs";
import {cpus} from "node:os";
import path from "node:path";
import {fileURLToPath} from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../../..");
const work = path.join(root, "artifacts/peers/llama.cpp");
const option = (name, otherwise) => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise;
const preset = option("--preset", "vl-1_8b"), layers = option("--layers", "4"), threads = option("--threads", "2");
const prefill = option("--prefill", "512"), decode = option("--decode", "64"), rounds = Number(option("--rounds", "5"));
const tokenizer = option("--tokenizer", path.join(root, "../shared/golden/tokenizer/internlm2.tokenizer.model"));

// Everything that a decode step reads has the same bits on both sides, the head too.
const formats = {
    bf16: {gguf: "bf16", ours: ["--weights", "bf16"]},
    int8: {gguf: "q8_0", ours: ["--weights", "int8", "--group", "32", "--head", "int8"]},
    int4: {gguf: "q4_0", ours: ["--weights", "int4", "--group", "32", "--head", "int4"]},
};
const wanted = option("--weights", "bf16,int8,int4").split(",");
for (const name of wanted)
    if (!(name in formats)) throw new Error(`--weights: expected ${Object.keys(formats).join(", ")}, found ${name}`);

const run = (file, args, cwd = work) => execFileSync(file, args, {cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26});
const median = (values) => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];

// Debian's packages belong to its own python3, which may not be the first in PATH.
function python() {
    for (const candidate of ["python3", "/usr/bin/python3"]) {
        try {
            execFileSync(candidate, ["-c", "import numpy, sentencepiece"], {stdio: "ignore"});
            return candidate;
        } catch { /* the next one */ }
    }
    throw new Error("expected python3 with numpy and sentencepiece (packages python3-numpy and python3-sentencepiece), found none");
}

function modelFile(type) {
    const model = path.join(work, `${preset}-${layers}-${type}.gguf`);
    if (!existsSync(model)) {
        if (!existsSync(tokenizer)) throw new Error(`--tokenizer: expected InternLM2's tokenizer.model, found no file ${tokenizer}`);
        run(python(), [path.join(here, "make_gguf.py"), model, "--preset", preset, "--layers", layers, "--type", type, "--tokenizer", tokenizer]);
    }
    return model;
}

function setUp() {
    mkdirSync(work, {recursive: true});
    if (!existsSync(path.join(work, "node_modules/node-llama-cpp")))
        run("npm", ["install", "--ignore-scripts", "--no-fund", "--no-audit", "node-llama-cpp@3.22.1", "@node-llama-cpp/linux-x64@3.22.1"]);
    run("dotnet", ["build", path.join(here, "LLamaSharp/LLamaSharpPeer.csproj"), "-c", "Release", "-v", "quiet", "-nologo"]);
    run(path.join(root, "xc2"), ["--version"]);
}

// Each runs in a process of its own and times one repetition after a warm-up.
const programs = {
    "xc2": (format) => {
        const result = JSON.parse(run(path.join(root, "xc2"), ["bench", "decode", "--preset", `internlm-xcomposer2-${preset}`, "--layers", layers, ...format.ours,
            "--tokens", prefill, "--steps", decode, "--threads", threads, "--samples", "1", "--json"]));
        const series = (name) => result.series.find((one) => one.name === name).samples_ms;
        return {systemInfo: result.device, loadMs: result.load_ms, peakBytes: result.peak_host_bytes, prefillMs: series("prefill"), decodeMs: series("decode")};
    },
    "node-llama-cpp": (format) => JSON.parse(run("node", [path.join(here, "time_llama.mjs"), modelFile(format.gguf),
        "--threads", threads, "--prefill", prefill, "--decode", decode, "--repeat", "1"])),
    "LLamaSharp": (format) => JSON.parse(run("dotnet", [path.join(root, "artifacts/bin/LLamaSharpPeer/release/LLamaSharpPeer.dll"), modelFile(format.gguf),
        threads, prefill, decode, "1"])),
};

setUp();
const results = {};
for (const name of wanted) modelFile(formats[name].gguf);
for (let round = 0; round < rounds; round++)
    for (const weights of wanted)
        for (const [program, time] of Object.entries(programs)) {
            const one = time(formats[weights]);
            (results[weights] ??= {})[program] ??= [];
            results[weights][program].push({...one, prefillMs: one.prefillMs[0], decodeMs: one.decodeMs[0]});
            console.error(`round ${round + 1} of ${rounds}, ${weights}, ${program}: prefill ${one.prefillMs[0].toFixed(0)} ms, decode ${one.decodeMs[0].toFixed(0)} ms`);
        }

console.log(`${preset}, ${layers} layers, prompt of ${prefill} tokens, ${decode} decode steps, ${threads} threads, ${cpus()[0].model.trim()}; ${rounds} rounds by turns, medians\n`);
for (const program of Object.keys(programs))
    console.log(`${program}: ${results[wanted[0]][program][0].systemInfo}`);
console.log("\n| weights | program | first token, ms | prefill, tokens/s | decode, tokens/s | peak memory, MB | xc2 is faster: prefill | decode |\n|---|---|---|---|---|---|---|---|");
for (const weights of wanted) {
    const ours = results[weights].xc2;
    for (const [program, theirs] of Object.entries(results[weights])) {
        const value = (key) => median(theirs.map((one) => one[key]));
        const ratio = (key) => {
            const all = ours.map((one, i) => theirs[i][key] / one[key]);
            return `${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`;
        };
        const peer = program === "xc2" ? " |" : `${ratio("prefillMs")} | ${ratio("decodeMs")}`;
        console.log(`| ${weights}${program === "xc2" ? "" : `: ${formats[weights].gguf}`} | ${program} | ${value("prefillMs").toFixed(0)} | ` +
            `${(prefill / value("prefillMs") * 1000).toFixed(0)} | ${(decode / value("decodeMs") * 1000).toFixed(1)} | ${(value("peakBytes") / 1e6).toFixed(0)} | ${peer} |`);
    }
}
if (option("--json", "")) writeFileSync(option("--json", ""), JSON.stringify({preset, layers, threads, prefill, decode, results}, null, 1));
