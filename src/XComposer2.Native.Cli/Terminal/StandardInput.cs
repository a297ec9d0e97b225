using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>Facts about descriptor 0.</summary>
internal static partial class StandardInput
{
    private const int Descriptor = 0;
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary>
    /// Whether the process was started without a standard input. The runtime then has opened something of its own under that number, which would be waited for
    /// without end; unlike what a process inherits, it is closed on exec.
    /// </summary>
    public static bool IsMissing
    {
        get
        {
            if (OperatingSystem.IsWindows())
                return false;
            int flags = Control(Descriptor, GetFlags);
            return flags < 0 || (flags & CloseOnExec) != 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);
}
