// Compares xc2 with llama.cpp on the same decoder shapes, layers, tokens and threads, alternating in one run.
//   node compare.mjs [--preset vl-1_8b|vl-7b] [--layers 4] [--type bf16] [--threads 2] [--prefill 512] [--decode 64] [--rounds 5] [--json FILE]
// Downloads to artifacts/peers/llama.cpp (720 MB from the npm registry) and creates a model file of random weights. Needs node, npm, python3 with
// numpy and sentencepiece, and the tokenizer.model of InternLM2 (--tokenizer FILE).
import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, writeFileSync} from "node:fs";
import {cpus} from "node:os";
import path from "node:path";
import {fileURLToPath} from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../../..");
const work = path.join(root, "artifacts/peers/llama.cpp");
const option = (name, otherwise) => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise;
const preset = option("--preset", "vl-1_8b"), layers = option("--layers", "4"), type = option("--type", "bf16"), threads = option("--threads", "2");
const prefill = option("--prefill", "512"), decode = option("--decode", "64"), rounds = Number(option("--rounds", "5"));
const tokenizer = option("--tokenizer", path.join(root, "../shared/golden/tokenizer/internlm2.tokenizer.model"));

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

function setUp() {
    mkdirSync(work, {recursive: true});
    if (!existsSync(path.join(work, "node_modules/node-llama-cpp")))
        run("npm", ["install", "--ignore-scripts", "--no-fund", "--no-audit", "node-llama-cpp@3.22.1", "@node-llama-cpp/linux-x64@3.22.1"]);
    const model = path.join(work, `${preset}-${layers}-${type}.gguf`);
    if (!existsSync(model)) {
        if (!existsSync(tokenizer)) throw new Error(`--tokenizer: expected InternLM2's tokenizer.model, found no file ${tokenizer}`);
        run(python(), [path.join(here, "make_gguf.py"), model, "--preset", preset, "--layers", layers, "--type", type, "--tokenizer", tokenizer]);
    }
    run(path.join(root, "xc2"), ["--version"]);
    return model;
}

function timeOurs() {
    const args = ["bench", "decode", "--preset", `internlm-xcomposer2-${preset}`, "--layers", layers, "--weights", type, "--tokens", prefill,
        "--steps", decode, "--threads", threads, "--samples", "1", "--json"];
    const result = JSON.parse(run(path.join(root, "xc2"), args));
    const series = (name) => result.series.find((one) => one.name === name).samples_ms[0];
    return {device: result.device, decodeBytes: result.decode_weight_bytes, prefillMs: series("prefill"), decodeMs: series("decode")};
}

function timeTheirs(model) {
    const result = JSON.parse(run("node", [path.join(here, "time_llama.mjs"), model, "--threads", threads, "--prefill", prefill, "--decode", decode, "--repeat", "1"]));
    return {systemInfo: result.systemInfo, prefillMs: result.prefillMs[0], decodeMs: result.decodeMs[0]};
}

const model = setUp();
const ours = [], theirs = [];
for (let round = 0; round < rounds; round++) {
    ours.push(timeOurs());
    theirs.push(timeTheirs(model));
    console.error(`round ${round + 1} of ${rounds}: prefill ${ours[round].prefillMs.toFixed(0)} against ${theirs[round].prefillMs.toFixed(0)} ms, ` +
        `decode ${ours[round].decodeMs.toFixed(0)} against ${theirs[round].decodeMs.toFixed(0)} ms`);
}

const rows = [["prefill", Number(prefill), "prefillMs"], ["decode", Number(decode), "decodeMs"]].map(([name, tokens, key]) => {
    const ratios = ours.map((one, i) => theirs[i][key] / one[key]);
    return {
        name, tokens,
        xc2: tokens / median(ours.map((one) => one[key])) * 1000,
        llama: tokens / median(theirs.map((one) => one[key])) * 1000,
        ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios),
    };
});
console.log(`${preset}, ${layers} layers, ${type}, ${threads} threads, ${cpus()[0].model.trim()}, ${rounds} rounds, alternating\n`);
console.log(`xc2        ${ours[0].device}`);
console.log(`llama.cpp  ${theirs[0].systemInfo}\n`);
console.log("|          | tokens | xc2, tokens/s | llama.cpp, tokens/s | xc2 / llama.cpp, median of pairs (range) |\n|---|---|---|---|---|");
for (const row of rows)
    console.log(`| ${row.name} | ${row.tokens} | ${row.xc2.toFixed(1)} | ${row.llama.toFixed(1)} | ${row.ratio.toFixed(2)} (${row.lowest.toFixed(2)} to ${row.highest.toFixed(2)}) |`);
if (option("--json", "")) writeFileSync(option("--json", ""), JSON.stringify({preset, layers, type, threads, ours, theirs, rows}, null, 1));
