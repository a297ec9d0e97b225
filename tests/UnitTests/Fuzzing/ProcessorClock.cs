using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace XComposer2.Native.UnitTests;

/// <summary>Time that the calling thread has spent on a processor: on a busy machine the time of the wall says little about a reader. That of the wall on Windows.</summary>
internal static partial class ProcessorClock
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID.</summary>
    private static int ThreadTime => OperatingSystem.IsMacOS() ? 16 : 3;

    /// <summary>Only differences on one thread mean anything.</summary>
    public static TimeSpan Now()
    {
        if (OperatingSystem.IsWindows())
            return Stopwatch.GetElapsedTime(0);
        return GetTime(ThreadTime, out TimeSpec time) == 0 ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000) : throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimeSpec
    {
        public readonly nint Seconds, Nanoseconds;
    }
}
